# SPDX-License-Identifier: Apache-2.0
"""Rotation search on photographs that Pillow rotated by known angles: the angle, and where points land in the rotated files."""

import math

import numpy as np
import pytest
from PIL import Image

from files import read_json
from program import run

TURNS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}  # clockwise


@pytest.fixture
def photo(data):
    return Image.open(data / "brighton_beach/DJI_0021.jpg").convert("RGB").resize((720, 405), Image.BICUBIC)


def search(folder, weight, *arguments):
    run("--no-cache", "run", "-w", weight, "--root", folder, "--out", folder / "out", "-a", 300, "-b", 400, *arguments)
    return [read_json(path) for path in sorted(folder.glob("out/pair_match/*/*.json"))]


def turned_points(points, angle, size, turned_size):
    """Clockwise about the centre, onto a canvas of another size."""
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    x, y = (points - np.array(size) / 2).T
    return np.stack([c * x - s * y, s * x + c * y], 1) + np.array(turned_size) / 2


@pytest.mark.parametrize("weight,resize", [("dense_sift", "shorter"), ("efficientnet_lite0", "shorter_cut")])
def test_right_angles_are_exact(weight, resize, photo, tmp_path):
    image = photo
    image.save(tmp_path / "X_300_0000.png")
    for angle, transpose in TURNS.items():
        image.transpose(transpose).save(tmp_path / f"X_400_{angle:04d}.png")
    records = search(tmp_path, weight, "--rotations", "0,90,180,270", "--resize", resize)
    assert len(records) == 3
    for record, angle in zip(records, TURNS, strict=True):
        patch, found = record["patch"], record["rotation_search"]
        assert found["rotation_deg"] == 360 - angle
        scores = {s["rotation_deg"]: s for s in found["scores"]}
        assert list(scores) == [0, 90, 180, 270]
        best = scores.pop(360 - angle)
        assert best["num_inliers"] == best["num_matches"] == len(patch["idx_a"])
        assert best["mean_similarity"] == pytest.approx(1, abs=1e-5)
        assert all(s["num_inliers"] < best["num_inliers"] for s in scores.values())
        # Rotated back it is the very picture: every token finds itself, and its point is where Pillow put the pixel.
        assert patch["idx_a"] == patch["idx_b"]
        assert len(patch["idx_a"]) > 0.9 * patch["n_selected_a"]
        turned_size = image.size if angle == 180 else image.size[::-1]
        expected = turned_points(np.array(patch["points_a"]), angle, image.size, turned_size)
        assert np.abs(np.array(patch["points_b"]) - expected).max() < 1e-9


@pytest.mark.parametrize("angle,step", [(30, 30), (135, 45), (300, 60)])
def test_any_angle_is_found(angle, step, photo, tmp_path):
    """Two square windows on one photograph, the second rotated: as a camera sees it, without empty corners."""
    image = photo.resize((1440, 810), Image.BICUBIC)
    side = 480

    def window(picture):
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        return picture.crop((left, top, left + side, top + side))

    window(image).save(tmp_path / "X_300_0000.png")
    window(image.rotate(-angle, Image.BICUBIC)).save(tmp_path / "X_400_0000.png")
    record, = search(tmp_path, "efficientnet_lite0", "--rotation-step", str(step))
    found = record["rotation_search"]
    assert [s["rotation_deg"] for s in found["scores"]] == list(range(0, 360, step))
    assert found["rotation_deg"] == 360 - angle
    inliers = sorted(s["num_inliers"] for s in found["scores"])
    expected = turned_points(np.array(record["patch"]["points_a"]), angle, (side, side), (side, side))
    errors = np.linalg.norm(np.array(record["patch"]["points_b"]) - expected, axis=1)
    cell = 16 * side / 336
    print(f"{angle} degrees: inliers {inliers}, {len(errors)} matches, {np.mean(errors < cell):.0%} within a cell, "
          f"median {np.median(errors):.1f} px")
    assert np.mean(errors < cell) > 0.5
    assert inliers[-2] < inliers[-1] / 1.5
