# SPDX-License-Identifier: Apache-2.0
"""The command stats against NumPy over Pillow's pixels."""

import json
import os
import subprocess

import numpy as np
import pytest
from PIL import Image

from test_backbone_dense_sift import PROGRAM, picture


def stats(*arguments):
    return subprocess.run([PROGRAM, "stats", *map(str, arguments)], capture_output=True, text=True, timeout=300,
                          check=False)


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
    assert done.returncode == 0, done.stderr
    images = [Image.open(path).convert("RGB") for path in sorted(folder.rglob("*.png"))]
    if mode == "exact":
        images = [image.resize((96, 96), Image.BICUBIC) for image in images]
    elif mode:
        side = min if mode == "shorter" else max
        images = [image.resize([96 if v == side(image.size) else int(v * 96 / side(image.size) + 0.5) for v in image.size],
                               Image.BICUBIC) for image in images]
    result = json.loads((tmp_path / "out.json").read_text())
    check(result, images)
    for value in result["mean"] + result["std"]:
        assert f"{value:.6f}" in done.stdout


def test_a_selection_of_files(folder, tmp_path):
    done = stats(folder, "--pattern", r"below/.*", "--json", tmp_path / "out.json")
    assert done.returncode == 0, done.stderr
    check(json.loads((tmp_path / "out.json").read_text()),
          [Image.open(path) for path in sorted((folder / "below").glob("*.png"))])
    assert json.loads((tmp_path / "out.json").read_text())["images"] == 2
    stats(folder, "--not-recursive", "--json", tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_text())["images"] == 3


def test_what_cannot_be_read_is_told(folder, tmp_path):
    (folder / "bad.jpg").write_bytes(b"\xff\xd8 no")
    done = stats(folder, "--json", tmp_path / "out.json")
    assert done.returncode == 1 and "bad.jpg" in done.stderr and "5 pictures" in done.stdout
    assert json.loads((tmp_path / "out.json").read_text())["failed"] == 1
    (tmp_path / "empty").mkdir()
    assert "no pictures" in stats(tmp_path / "empty").stderr
    assert stats(tmp_path / "nowhere").returncode == 1
    assert stats(folder, "--size", 0).returncode == 2
