# SPDX-License-Identifier: Apache-2.0
"""PatchCore on real features, from the network's layers to the map, against NumPy and SciPy written from the definitions of
anomalib and patchcore-inspection, in float64."""

import subprocess

import numpy as np
import pytest
import textures
from PIL import Image

from program import PROGRAM, WEIGHTS, lua

torch = pytest.importorskip("torch")
ndimage = pytest.importorskip("scipy.ndimage")
efficientnet = pytest.importorskip("efficientnet_lite_pytorch")

PRESETS = ("anomalib", "anomalib-2.3", "patchcore")


# ---- The definitions -------------------------------------------------------------------------------------------------------


def enlarged(maps, side):
    """[C, h, w] -> [C, side, side], bilinear without aligned corners."""
    def matrix(n):
        place = np.clip((np.arange(side) + 0.5) * n / side - 0.5, 0, n - 1)
        below = np.minimum(np.floor(place).astype(int), n - 2)
        weights = np.zeros((side, n))
        weights[np.arange(side), below] = 1 - (place - below)
        weights[np.arange(side), below + 1] += place - below
        return weights
    return np.einsum("yh,chw,xw->cyx", matrix(maps.shape[1]), maps, matrix(maps.shape[2]))


def adaptive_mean(rows, dims):
    """The mean over overlapping bins [floor(i n / m), ceil((i + 1) n / m)) of the last axis."""
    n = rows.shape[-1]
    sums = np.concatenate([np.zeros((*rows.shape[:-1], 1)), np.cumsum(rows, -1)], -1)
    first, end = np.arange(dims) * n // dims, -(-(np.arange(dims) + 1) * n // dims)
    return (sums[..., end] - sums[..., first]) / (end - first)


def anomalib_patches(layers):
    side = layers[0].shape[1]
    means = [ndimage.uniform_filter(layer, (1, 3, 3), mode="constant") for layer in layers]
    return np.concatenate([means[0], enlarged(means[1], side)])


def inspection_patches(layers):
    side, rows = layers[0].shape[1], []
    for layer in layers:
        channels, height, width = layer.shape
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(layer, ((0, 0), (1, 1), (1, 1))), (3, 3), (1, 2))
        cells = windows.transpose(0, 3, 4, 1, 2).reshape(channels * 9, height, width)
        if height != side:
            cells = enlarged(cells, side)
        rows.append(adaptive_mean(cells.transpose(1, 2, 0), 1024))
    return adaptive_mean(np.concatenate(rows, -1), 1024).transpose(2, 0, 1)


def squares_to(patches, bank):
    return np.stack([((bank - patch) ** 2).sum(1) for patch in patches])


def anomalib_scores(patches, bank):
    """Of every patch, and of the picture: the largest, weighed by how near the rows around its nearest one are."""
    distances = np.sqrt(squares_to(patches, bank))
    scores = distances.min(1)
    worst = scores.argmax()
    around = np.argsort(((bank - bank[distances[worst].argmin()]) ** 2).sum(1), kind="stable")[:9]
    powers = np.exp(distances[worst, around] - distances[worst, around].max())
    return scores, (1 - powers[0] / powers.sum()) * scores[worst]


def inspection_scores(patches, bank):
    scores = np.sort(squares_to(patches, bank), 1)[:, :5].mean(1)
    return scores, scores.max()


def anomalib_map(scores, side):
    nearest = np.repeat(np.repeat(scores, side // len(scores), 0), side // len(scores), 1)
    return ndimage.gaussian_filter(nearest, 4, mode="mirror", radius=16)


def inspection_map(scores, side):
    return ndimage.gaussian_filter(enlarged(scores[None], side)[0], 4, mode="reflect")


# ---- The network, by the package that its weights come with ----------------------------------------------------------------


def layers_of(path):
    """Outputs of the blocks that end strides 8 and 16, [C, h, w] float64."""
    network = efficientnet.EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(WEIGHTS / "efficientnet-lite0-57934424.pth", weights_only=True))
    network.eval()
    maps = {}
    for block in (4, 10):
        network._blocks[block].register_forward_hook(lambda _, __, out, block=block: maps.update({block: out[0].double().numpy()}))
    levels = np.asarray(Image.open(path).convert("RGB")).astype(np.float32).transpose(2, 0, 1)
    with torch.no_grad():
        network(torch.from_numpy((levels - 127) / 128)[None])
    return [maps[4], maps[10]]


# ---- The comparison --------------------------------------------------------------------------------------------------------

SCORE = """
local model, picture, out = ...
local detector = assert(im.anomaly.open(model, { engine = "libtorch" }))
local image = assert(im.image.open(picture))
assert(im.io.write_npy(out .. "/features.npy", detector:features(image)))
assert(im.io.write_npy(out .. "/bank.npy", detector:bank()))
local detection = detector:detect(image)
assert(im.io.write_npy(out .. "/map.npy", detection:map()))
print(("%.9g"):format(detection:to_table().score))
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    if textures.folder() is None:
        pytest.skip("the scikit-image wheel is not installed")
    root = tmp_path_factory.mktemp("scores")
    textures.write(root / "gravel", "gravel", num_train=6, num_test=2)
    return root


@pytest.mark.parametrize("preset", PRESETS)
def test_scores_on_real_features_follow_the_definitions(data, tmp_path, preset):
    subprocess.run([PROGRAM, "--quiet", "patchcore", "train", "--data-dir", data / "gravel", "--output", tmp_path, "--preset", preset,
                    "--backbone", "efficientnet_lite0 dtype=fp32", "--coreset-ratio", "0.02", "--held-out", "0", "--no-export",
                    "--set", "crop=none"], check=True, capture_output=True)
    theirs = preset == "patchcore"
    for kind in ("good", "foreign"):
        picture = data / f"gravel/test/{kind}/000.png"
        score = float(lua(SCORE, tmp_path / "gravel", picture, tmp_path))
        features, bank = np.load(tmp_path / "features.npy").astype(np.float64), np.load(tmp_path / "bank.npy").astype(np.float64)
        assert features.shape == (1, bank.shape[1], 28, 28) and len(bank) == int(6 * 784 * 0.02)
        expected = (inspection_patches if theirs else anomalib_patches)(layers_of(picture))
        assert expected.shape == features[0].shape
        assert np.abs(features[0] - expected).max() < 2e-4 * np.abs(expected).max()

        patches = features[0].reshape(len(features[0]), -1).T
        by_patch, by_picture = (inspection_scores if theirs else anomalib_scores)(patches, bank)
        assert score == pytest.approx(by_picture, rel=1e-5)
        expected_map = (inspection_map if theirs else anomalib_map)(by_patch.reshape(28, 28), 224)
        np.testing.assert_allclose(np.load(tmp_path / "map.npy"), expected_map, rtol=1e-5, atol=1e-5 * expected_map.max())


def test_rows_of_the_bank_are_patches_of_the_training_pictures(data, tmp_path):
    subprocess.run([PROGRAM, "--quiet", "patchcore", "train", "--data-dir", data / "gravel", "--output", tmp_path, "--no-export",
                    "--coreset-ratio", "0.02", "--held-out", "0"], check=True, capture_output=True)
    rows = []
    for picture in sorted((data / "gravel/train/good").iterdir()):
        lua(SCORE, tmp_path / "gravel", picture, tmp_path)
        features = np.load(tmp_path / "features.npy")[0]
        rows.append(features.reshape(len(features), -1).T)
    rows, bank = np.concatenate(rows), np.load(tmp_path / "bank.npy")
    assert len({row.tobytes() for row in bank}) == len(bank)
    rounded = rows.astype(np.float16).astype(np.float32)
    # Batches of other sizes may round a sum otherwise: within a step of float16.
    nearest = [np.abs(rounded - row).max(1).min() for row in bank]
    assert max(nearest) <= 2**-10 * np.abs(bank).max()


def test_the_preset_of_patchcore_inspection_looks_at_the_centre(data, tmp_path):
    """Of 256 px, its transform cuts 224 out of the middle."""
    whole = tmp_path / "pictures"
    whole.mkdir()
    for i in range(3):
        Image.fromarray(textures.texture("gravel")[:256, 100 * i : 100 * i + 256].astype(np.uint8)).save(whole / f"{i}.png")
    subprocess.run([PROGRAM, "--quiet", "patchcore", "train", "--data-dir", whole, "--output", tmp_path, "--pattern-name", "centre",
                    "--preset", "patchcore", "--backbone", "efficientnet_lite0 dtype=fp32", "--coreset-ratio", "0.02",
                    "--held-out", "0", "--no-export"], check=True, capture_output=True)
    lua(SCORE, tmp_path / "centre", whole / "1.png", tmp_path)
    Image.open(whole / "1.png").crop((16, 16, 240, 240)).save(tmp_path / "cut.png")
    expected = inspection_patches(layers_of(tmp_path / "cut.png"))
    assert np.abs(np.load(tmp_path / "features.npy")[0] - expected).max() < 2e-4 * np.abs(expected).max()
