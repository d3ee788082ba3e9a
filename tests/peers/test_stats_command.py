# SPDX-License-Identifier: Apache-2.0
"""The command stats against NumPy over Pillow's pixels."""

import numpy as np
import pytest
from PIL import Image

from files import read_json
from pictures import picture
from program import run


def stats(*arguments, status=0):
    return run("stats", *arguments, status=status)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in" / "below").mkdir(parents=True)
    for n, size in enumerate([(300, 200), (120, 333), (640, 480), (64, 64), (201, 97)]):
        image = Image.eval(picture(*size), lambda v, n=n: min(255, v // (n + 1) + 20 * n))
        image.save(tmp_path / "in" / ("below" if n % 2 else ".") / f"{n}.png")
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    return tmp_path / "in"


def check(result, images):
    arrays = [np.asarray(image, np.float64).reshape(-1, 3) / 255 for image in images]
    pixels = np.concatenate(arrays)
    assert result["images"] == len(images) and result["pixels"] == len(pixels)
    assert np.allclose(result["mean"], pixels.mean(0), atol=1e-12, rtol=0)
    assert np.allclose(result["std"], pixels.std(0), atol=1e-12, rtol=0)
    assert np.allclose(result["mean_of_image_means"], np.mean([a.mean(0) for a in arrays], 0), atol=1e-12, rtol=0)
    assert np.allclose(result["mean_of_image_stds"], np.mean([a.std(0) for a in arrays], 0), atol=1e-12, rtol=0)


@pytest.mark.parametrize("mode", [None, "shorter", "longer", "exact"])
def test_equals_numpy(mode, folder, tmp_path):
    done = stats(folder, "--json", tmp_path / "out.json", *(["--size", 96, "--mode", mode] if mode else []))
    images = [Image.open(path).convert("RGB") for path in sorted(folder.rglob("*.png"))]
    if mode == "exact":
        images = [image.resize((96, 96), Image.BICUBIC) for image in images]
    elif mode:
        side = min if mode == "shorter" else max
        images = [image.resize([96 if v == side(image.size) else int(v * 96 / side(image.size) + 0.5) for v in image.size],
                               Image.BICUBIC) for image in images]
    result = read_json(tmp_path / "out.json")
    check(result, images)
    for value in result["mean"] + result["std"]:
        assert f"{value:.6f}" in done.stdout


def test_a_selection_of_files(folder, tmp_path):
    stats(folder, "--pattern", r"below/.*", "--json", tmp_path / "out.json")
    check(read_json(tmp_path / "out.json"),
          [Image.open(path) for path in sorted((folder / "below").glob("*.png"))])
    assert read_json(tmp_path / "out.json")["images"] == 2
    stats(folder, "--not-recursive", "--json", tmp_path / "out.json")
    assert read_json(tmp_path / "out.json")["images"] == 3


def test_what_cannot_be_read_is_told(folder, tmp_path):
    (folder / "bad.jpg").write_bytes(b"\xff\xd8 no")
    done = stats(folder, "--json", tmp_path / "out.json", status=1)
    assert "bad.jpg" in done.stderr and "5 pictures" in done.stdout
    assert read_json(tmp_path / "out.json")["failed"] == 1
    (tmp_path / "empty").mkdir()
    assert "no pictures" in stats(tmp_path / "empty", status=1).stderr
    stats(tmp_path / "nowhere", status=1)
    stats(folder, "--size", 0, status=2)
