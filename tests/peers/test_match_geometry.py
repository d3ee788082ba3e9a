# SPDX-License-Identifier: Apache-2.0
"""Homography, affine and similarity transforms and scores against OpenCV's Python module and NumPy."""

import cv2
import numpy as np
import pytest

from files import read_json, write_json
from pictures import photographs
from program import lua

# Matches are made from token grids of which each token of a has exactly one like it in b, at a place the test chose.
SCRIPT = """
local function features(path)
  return im.features.from_tensors(im.tensor.from_table { 1 }, im.io.read_npy(path), { image_width = 960, image_height = 720 })
end
local matches = im.match.mutual_nearest(features(arg[1]), features(arg[2]),
  { max_features = 100000, keypoint_th = 0, match_th = 0.999 })
local jobs, results = im.io.read_json(arg[3]), {}
for i, job in ipairs(jobs) do
  local geometry = im.match.geometry(matches, job.options)
  results[i] = { points = matches:points(), homography = geometry:homography(), inliers = geometry:inliers(),
    scores = im.evaluate.homography(matches, geometry, job.truth) }
end
im.io.write_json(arg[4], results)
"""

ROWS, COLS, SIDE = 36, 48, 20
METHODS = {
    "cv2_ransac": cv2.RANSAC,
    "usac_default": cv2.USAC_DEFAULT,
    "usac_parallel": cv2.USAC_PARALLEL,
    "usac_accurate": cv2.USAC_ACCURATE,
    "usac_fast": cv2.USAC_FAST,
    "usac_prosac": cv2.USAC_PROSAC,
    "usac_magsac": cv2.USAC_MAGSAC,
}
TRUTH = np.array([[0.86, -0.31, 180.0], [0.27, 0.9, -60.0], [8e-5, -6e-5, 1.0]])
TURN = np.array([[0.7, -0.4, 200.0], [0.4, 0.7, 20.0], [0, 0, 1.0]])


def apply(h, points):
    p = np.c_[points, np.ones(len(points))] @ h.T
    return p[:, :2] / p[:, 2:]


def grids(truth, outliers, seed):
    """Token grids whose matches follow `truth` up to half a cell, with a share of tokens put anywhere."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(ROWS * COLS, 64)).astype(np.float32)
    b = rng.normal(size=(ROWS, COLS, 64)).astype(np.float32)
    y, x = np.mgrid[0:ROWS, 0:COLS]
    centres = np.c_[(x.ravel() + 0.5) * SIDE, (y.ravel() + 0.5) * SIDE]
    to = apply(truth, centres)
    taken = set()
    for token in rng.permutation(ROWS * COLS):
        cell = np.floor(to[token] / SIDE).astype(int)
        if rng.random() < outliers:
            cell = np.array([rng.integers(COLS), rng.integers(ROWS)])
        if (cell >= 0).all() and cell[0] < COLS and cell[1] < ROWS and tuple(cell) not in taken:
            taken.add(tuple(cell))
            b[cell[1], cell[0]] = vectors[token]
    return vectors.reshape(ROWS, COLS, 64), b


def run(tmp_path, a, b, jobs):
    np.save(tmp_path / "a.npy", a)
    np.save(tmp_path / "b.npy", b)
    lua(SCRIPT, tmp_path / "a.npy", tmp_path / "b.npy", write_json(tmp_path / "jobs.json", jobs), tmp_path / "out.json")
    return read_json(tmp_path / "out.json")


def corner_error(h, truth):
    corners = np.array([[0, 0], [960, 0], [960, 720], [0, 720.0]])
    return np.linalg.norm(apply(h, corners) - apply(truth, corners), axis=1).mean()


@pytest.mark.parametrize("outliers", [0.1, 0.6])
def test_homographies_as_good_as_opencv(outliers, tmp_path):
    jobs = [{"options": {"method": m, "reproj_px": 12}, "truth": TRUTH.ravel().tolist()} for m in METHODS]
    for (name, method), found in zip(METHODS.items(), run(tmp_path, *grids(TRUTH, outliers, 3), jobs), strict=True):
        points = np.array(found["points"])
        assert len(points) > 300
        ours = np.array(found["homography"]).reshape(3, 3)
        theirs, _ = cv2.findHomography(points[:, :2], points[:, 2:], method, 12, maxIters=10000, confidence=0.9999)
        # Noise of half a cell: both lie a few pixels off, and ours must not lie farther.
        assert corner_error(ours, TRUTH) < max(1.5 * corner_error(theirs, TRUTH), 4), name
        assert corner_error(ours, theirs) < 8, name
        errors = np.linalg.norm(apply(ours, points[:, :2]) - points[:, 2:], axis=1)
        assert found["inliers"] == (errors <= 12).tolist(), name


PAIRS = """
local images, results = {}, {}
for i = 2, #arg do images[i - 1] = assert(im.image.open(arg[i])) end
local features = assert(im.backbone.features(images, "efficientnet_lite0", { stage = 16, image_size = 336 }))
for i = 1, #features do
  for j = i + 1, #features do
    local matches = im.match.mutual_nearest(features[i], features[j], { match_th = 0.3 })
    local found = {}
    for _, px in ipairs { 4, 8, 16 } do
      found[tostring(px)] = im.match.geometry(matches, { method = "usac_magsac", reproj_px = px }):num_inliers()
    end
    results[#results + 1] = { points = matches:points(), inliers = found }
  end
end
im.io.write_json(arg[1], results)
"""


def count_inliers(points, method, px):
    h, _ = cv2.findHomography(points[:, :2], points[:, 2:], method, px, maxIters=10000, confidence=0.9999)
    if h is None:
        return 0
    p = np.c_[points[:, :2], np.ones(len(points))] @ h.T
    return int(((p[:, 2] > 0) & (np.linalg.norm(p[:, :2] / p[:, 2:] - points[:, 2:], axis=1) <= px)).sum())


def test_magsac_on_photographs_finds_what_ransac_finds(data, tmp_path):
    """Tokens lie on a lattice and most matches of photographs are wrong: where the choice of the noise's bound tells."""
    lua(PAIRS, tmp_path / "out.json", *photographs(data / "brighton_beach")[4:11])
    pairs = [(np.array(p["points"]), p["inliers"]) for p in read_json(tmp_path / "out.json")]
    for px in (4, 8, 16):
        ransac = [count_inliers(points, cv2.RANSAC, px) for points, _ in pairs]
        overlapping = [k for k, n in enumerate(ransac) if n >= 20]  # below that, chance finds as many
        assert len(overlapping) >= 8
        ours = [pairs[k][1][str(px)] for k in overlapping]
        theirs = [count_inliers(pairs[k][0], cv2.USAC_MAGSAC, px) for k in overlapping]
        assert sum(ours) >= 0.93 * sum(ransac[k] for k in overlapping), px
        assert sum(ours) >= 0.98 * sum(theirs), px
        assert min(n / ransac[k] for n, k in zip(ours, overlapping, strict=True)) > 0.6, px


def test_similarity_equals_opencv(tmp_path):
    jobs = [{"options": {"model": "similarity", "reproj_px": 12}, "truth": TURN.ravel().tolist()}]
    (found,) = run(tmp_path, *grids(TURN, 0.4, 4), jobs)
    points = np.array(found["points"])
    theirs, _ = cv2.estimateAffinePartial2D(points[:, :2], points[:, 2:], method=cv2.RANSAC, ransacReprojThreshold=12,
                                            maxIters=10000, confidence=0.9999)
    ours = np.array(found["homography"]).reshape(3, 3)
    assert ours[2].tolist() == [0, 0, 1]
    assert corner_error(ours, np.r_[theirs, [[0, 0, 1]]]) < 1


SHEAR = np.array([[0.9, -0.45, 260.0], [0.15, 1.1, -60.0], [0, 0, 1.0]])


def test_affine_equals_opencv(tmp_path):
    jobs = [{"options": {"model": "affine", "method": m, "reproj_px": 12}, "truth": SHEAR.ravel().tolist()} for m in METHODS]
    for (name, method), found in zip(METHODS.items(), run(tmp_path, *grids(SHEAR, 0.4, 4), jobs), strict=True):
        points = np.array(found["points"])
        theirs, _ = cv2.estimateAffine2D(points[:, :2], points[:, 2:], method=method, ransacReprojThreshold=12, maxIters=10000,
                                         confidence=0.9999)
        ours, theirs = np.array(found["homography"]).reshape(3, 3), np.r_[theirs, [[0, 0, 1]]]
        assert ours[2].tolist() == [0, 0, 1], name
        assert corner_error(ours, SHEAR) < max(1.5 * corner_error(theirs, SHEAR), 3), name
        errors = np.linalg.norm(apply(ours, points[:, :2]) - points[:, 2:], axis=1)
        assert found["inliers"] == (errors <= 12).tolist(), name
        assert sum(found["inliers"]) >= 0.95 * (np.linalg.norm(apply(theirs, points[:, :2]) - points[:, 2:], axis=1) <= 12).sum()


def test_scores_against_numpy(tmp_path):
    job = {"options": {"reproj_px": 12}, "truth": TRUTH.ravel().tolist()}
    (found,) = run(tmp_path, *grids(TRUTH, 0.4, 5), [job])
    points, scores = np.array(found["points"]), found["scores"]
    errors = np.linalg.norm(apply(TRUTH, points[:, :2]) - points[:, 2:], axis=1)
    assert scores["num_matches"] == len(points)
    assert scores["num_correct"] == (errors <= SIDE).sum()
    assert scores["precision"] == pytest.approx((errors <= SIDE).mean())
    for px in (1, 3, 5, 10):
        assert scores[f"mma_{px}px"] == pytest.approx((errors <= px).mean())
    assert scores["inlier_ratio"] == pytest.approx(np.mean(found["inliers"]))
    assert scores["corner_error_px"] == pytest.approx(corner_error(np.array(found["homography"]).reshape(3, 3), TRUTH))
    y, x = np.mgrid[0:ROWS, 0:COLS]
    to = apply(TRUTH, np.c_[(x.ravel() + 0.5) * SIDE, (y.ravel() + 0.5) * SIDE])
    assert scores["num_possible"] == ((to >= 0) & (to <= [960, 720])).all(axis=1).sum()


def test_area_under_the_curve_against_numpy(tmp_path):
    rng = np.random.default_rng(6)
    errors = np.r_[rng.exponential(4, 50), [1e9, 1e9]]
    thresholds = [1, 3, 5, 10]
    errors_file = write_json(tmp_path / "errors.json", errors.tolist())
    lua("im.io.write_json(arg[2], im.evaluate.auc(im.io.read_json(arg[1]), { 1, 3, 5, 10 }))", errors_file, tmp_path / "out.json")
    ours = read_json(tmp_path / "out.json")
    # As SuperGlue's and glue-factory's evaluations compute it.
    errors = np.r_[0, np.sort(errors)]
    recall = np.arange(len(errors)) / (len(errors) - 1)
    for area, threshold in zip(ours, thresholds, strict=True):
        last = np.searchsorted(errors, threshold)
        e, r = np.r_[errors[:last], threshold], np.r_[recall[:last], recall[last - 1]]
        assert area == pytest.approx(np.trapezoid(r, x=e) / threshold)
