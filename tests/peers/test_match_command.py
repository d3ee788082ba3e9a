# SPDX-License-Identifier: Apache-2.0
"""match on photographs whose homography is known, on unrelated ones, and on lists and folders; and what it opens."""

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from files import read_csv, read_json
from program import ROOT, run

jsonschema = pytest.importorskip("jsonschema")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """a.jpg, b.jpg (the same place), turned.jpg (a by 120 degrees and a half its size), noise.png."""
    folder = tmp_path_factory.mktemp("match")
    for name in ("a.jpg", "b.jpg"):
        shutil.copy(ROOT / "docs" / name, folder)
    a = Image.open(folder / "a.jpg")
    a.rotate(-120, Image.BICUBIC, expand=True).resize((560, 500)).save(folder / "turned.jpg", quality=92)
    rng = np.random.default_rng(7)
    noise = Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)).resize((800, 600), Image.BICUBIC)
    noise.save(folder / "noise.png")
    return folder


def match(folder, *arguments, status=0, env=None):
    return run("--cache", folder / "cache", "match", *arguments, "--out", folder / "out", "--quiet", status=status, cwd=folder, env=env)


def mapped(h, x, y):
    u, v, w = np.array(h).reshape(3, 3) @ [x, y, 1]
    return np.array([u, v]) / w


def test_a_pair_of_one_place(folder):
    out = match(folder, "a.jpg", "b.jpg").stdout
    assert out.startswith("matched      a.jpg  b.jpg: ") and "b_from_a [" in out and "out/a_b.jpg" in out
    result = read_json(folder / "out/a_b.json")
    jsonschema.validate(result, json.loads((ROOT / "docs/schema/match.schema.json").read_text()))
    assert result["matched"] and result["num_inliers"] == sum(row[5] for row in result["matches"]) > 50
    errors = [np.hypot(*(mapped(result["homography"], row[0], row[1]) - row[2:4])) for row in result["matches"] if row[5]]
    assert np.mean(errors) == pytest.approx(result["mean_reprojection_px"], rel=1e-3)
    assert Image.open(folder / "out/a_b.jpg").size[0] == 2000
    row, = read_csv(folder / "out/pairs.csv")
    assert row["a"] == "a.jpg" and row["matched"] == "true" and int(row["num_inliers"]) == result["num_inliers"]


def test_a_turned_picture_is_found_and_lies_where_it_was_put(folder):
    out = match(folder, "a.jpg", "turned.jpg").stdout
    assert out.startswith("matched ") and "b turned by" in out
    h = read_json(folder / "out/a_turned.json")["homography"]
    # The middle of a is the middle of what Pillow has turned and resized.
    assert mapped(h, 400, 300) == pytest.approx([280, 250], abs=12)
    assert "turned by" not in match(folder, "a.jpg", "turned.jpg", "--rotations", "off").stdout


def test_unrelated_pictures_do_not_match(folder):
    out = match(folder, "a.jpg", "noise.png").stdout
    assert out.startswith("not matched  a.jpg  noise.png: ") and "b_from_a" not in out
    assert read_json(folder / "out/a_noise.json")["matched"] is False
    assert match(folder, "a.jpg", "b.jpg", "--min-inliers", "100000").stdout.startswith("not matched")


def test_folders_and_lists_leave_a_table_and_a_page(folder):
    (folder / "one").mkdir()
    (folder / "two").mkdir()
    shutil.copy(folder / "a.jpg", folder / "one/a photo.jpg")
    shutil.copy(folder / "b.jpg", folder / "two/b.jpg")
    shutil.copy(folder / "noise.png", folder / "two/n.png")
    out = match(folder, "one", "two", "--rotations", "off").stdout
    assert "1 of 2 pairs match" in out and out.strip().endswith("index.html")
    assert {(r["a"], r["b"], r["matched"]) for r in read_csv(folder / "out/pairs.csv")} == {
        ("one/a photo.jpg", "two/b.jpg", "true"), ("one/a photo.jpg", "two/n.png", "false")}
    assert (folder / "out/a photo_b.json").exists() and (folder / "out/index.html").exists()
    (folder / "list.csv").write_text("a,b\none/a photo.jpg,b.jpg\nnowhere.jpg,b.jpg\n")
    done = match(folder, "list.csv", "--rotations", "off", status=1)
    assert "nowhere.jpg: no such file" in done.stderr and done.stdout.startswith("matched ")


def test_it_opens_the_picture_where_there_is_a_screen(folder):
    (folder / "bin").mkdir()
    opener = folder / "bin/xdg-open"
    opener.write_text('#!/bin/sh\necho "$1" > "$OPENED"\n')
    opener.chmod(0o755)
    env = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "OPENED": str(folder / "opened"), "DISPLAY": ":0"}
    match(folder, "a.jpg", "b.jpg", "--no-open", env=env)
    match(folder, "a.jpg", "b.jpg", env=env | {"DISPLAY": None, "WAYLAND_DISPLAY": None})
    assert not (folder / "opened").exists()
    match(folder, "a.jpg", "b.jpg", env=env)
    run("-e", "require('imatch').sleep(1)")
    assert (folder / "opened").read_text().strip().endswith("out/a_b.jpg")


def test_wrong_usage(folder):
    assert "nowhere.jpg: no such file or folder" in match(folder, "a.jpg", "nowhere.jpg", status=1).stderr
    assert "Usage" in match(folder, status=2).stderr
    # A device that is not there is never another one in silence.
    for device, message in (("cuda:63", "'cuda:63' is not there"), ("gpu", "got 'gpu'")):
        done = match(folder, "a.jpg", "b.jpg", "--device", device, status=2)
        assert done.stderr.startswith("imatch-lua match: device: ") and message in done.stderr
    assert "--match-th" in match(folder, "a.jpg", "b.jpg", "--match-th", "2", status=2).stderr
