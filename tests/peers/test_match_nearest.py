# SPDX-License-Identifier: Apache-2.0
"""Token selection and mutual nearest neighbours against a plain NumPy rendering of the same definition."""

import numpy as np
import pytest

from files import read_json, write_json
from program import lua

SCRIPT = """
local function features(path)
  return im.features.from_tensors(im.tensor.from_table { 1 }, im.io.read_npy(path), {})
end
local a, b = features(arg[1]), features(arg[2])
local results = {}
for i, options in ipairs(im.io.read_json(arg[3])) do
  results[i] = im.match.mutual_nearest(a, b, options):to_table()
end
im.io.write_json(arg[4], results)
"""


def select(tokens, keypoint_th, max_features):
    """Indices into the token list, ascending."""
    norms = np.linalg.norm(tokens, axis=1)
    spread = norms.max() - norms.min()
    if spread > 1e-5 * norms.max():
        kept = np.flatnonzero((norms - norms.min()) / spread >= keypoint_th)
    else:
        kept = np.arange(len(norms))  # equal up to rounding: norms say nothing
    if len(kept) > max_features:
        steps = max(max_features - 1, 1)
        kept = kept[[i * (len(kept) - 1) // steps for i in range(max_features)]]
    return kept


def unit(tokens):
    lengths = np.linalg.norm(tokens, axis=1, keepdims=True)
    return np.divide(tokens, lengths, out=np.zeros_like(tokens), where=lengths > 0)


def mutual_nearest(a, b, max_features=1000, keypoint_th=0.015, match_th=0.1, line_th=0.2):
    sel_a, sel_b = select(a, keypoint_th, max_features), select(b, keypoint_th, max_features)
    similarity = unit(a[sel_a]) @ unit(b[sel_b]).T
    nearest_b, nearest_a = similarity.argmax(1), similarity.argmax(0)
    i = np.flatnonzero(nearest_a[nearest_b] == np.arange(len(sel_a)))
    j = nearest_b[i]
    s = similarity[i, j]
    keep = s >= match_th
    i, j, s = i[keep], j[keep], s[keep]
    if len(s):
        keep = s >= min(line_th * s.max(), s.max())
        i, j, s = i[keep], j[keep], s[keep]
    order = np.lexsort((i, -s))
    taken_a, taken_b, matches = set(), set(), []
    for k in order:  # greedy one-to-one in falling similarity
        if i[k] not in taken_a and j[k] not in taken_b:
            taken_a.add(i[k]), taken_b.add(j[k])
            matches.append((int(sel_a[i[k]]), int(sel_b[j[k]]), float(s[k])))
    return len(sel_a), len(sel_b), matches


def run(tmp_path, a, b, options):
    np.save(tmp_path / "a.npy", a)
    np.save(tmp_path / "b.npy", b)
    lua(SCRIPT, tmp_path / "a.npy", tmp_path / "b.npy", write_json(tmp_path / "options.json", options), tmp_path / "out.json")
    return read_json(tmp_path / "out.json")


def blobs(rng, rows, cols, dim, shift):
    """Tokens as of a picture: smooth over the grid, of very different lengths, the same scene seen with a shift."""
    y, x = np.mgrid[0:rows, 0:cols]
    phase = np.random.default_rng(7).uniform(0, 6.28, (3, dim))
    waves = np.sin(0.9 * (x[..., None] + shift) * phase[0] + 0.7 * y[..., None] * phase[1] + phase[2])
    strength = np.exp(rng.normal(0, 1, (rows, cols, 1)))
    return ((waves + 0.3 * rng.normal(size=waves.shape)) * strength).astype(np.float32)


CASES = {
    "random": lambda rng: (rng.normal(size=(20, 24, 64)), rng.normal(size=(18, 21, 64))),
    "of very different length": lambda rng: (
        rng.normal(size=(16, 16, 32)) * np.exp(rng.normal(0, 2, (16, 16, 1))),
        rng.normal(size=(16, 16, 32)) * np.exp(rng.normal(0, 2, (16, 16, 1))),
    ),
    "like a picture's": lambda rng: (blobs(rng, 48, 48, 96, 0), blobs(rng, 48, 48, 96, 2.0)),
    "of length 1": lambda rng: tuple(t / np.linalg.norm(t, axis=2, keepdims=True) for t in rng.normal(size=(2, 15, 17, 24))),
    "one": lambda rng: (rng.normal(size=(1, 1, 8)), rng.normal(size=(5, 1, 8))),
    "half of them zero": lambda rng: tuple(t * (np.arange(144).reshape(12, 12, 1) % 2) for t in rng.normal(size=(2, 12, 12, 16))),
}

OPTIONS = [
    {},
    {"match_th": 0.3},
    {"line_th": 0.8},
    {"keypoint_th": 0},
    {"keypoint_th": 0.4},
    {"keypoint_th": 1},
    {"max_features": 100},
    {"max_features": 7, "keypoint_th": 0},
    {"max_features": 1},
    {"max_features": 100000, "keypoint_th": 0, "match_th": -1, "line_th": 0},
]


@pytest.mark.parametrize("case", CASES)
def test_the_same_pairs_as_numpy(case, tmp_path):
    a, b = (t.astype(np.float32) for t in CASES[case](np.random.default_rng(1)))
    results = run(tmp_path, a, b, OPTIONS)
    for options, found in zip(OPTIONS, results, strict=True):
        n_a, n_b, expected = mutual_nearest(a.reshape(-1, a.shape[-1]), b.reshape(-1, b.shape[-1]), **options)
        assert (found["n_selected_a"], found["n_selected_b"]) == (n_a, n_b), options
        # NumPy may round a similarity differently, which orders near-equal ones differently: compare as sets.
        pairs = set(zip(found.get("idx_a") or [], found.get("idx_b") or [], strict=True))
        assert pairs == {(i, j) for i, j, _ in expected}, options
        similarity = list(found["similarities"])
        assert similarity == sorted(similarity, reverse=True)
        np.testing.assert_allclose(similarity, [s for *_, s in expected], atol=2e-6)


def test_even_spacing_is_that_of_torch_linspace(tmp_path):
    torch = pytest.importorskip("torch")
    for n, m in ((2304, 1000), (1369, 300), (777, 100), (1000, 999)):
        exact = [i * (n - 1) // (m - 1) for i in range(m)]
        rounded = torch.linspace(0, n - 1, m, dtype=torch.float64).long().numpy()
        assert np.abs(exact - rounded).max() <= 1 and (exact != rounded).mean() < 0.02
