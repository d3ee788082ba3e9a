# SPDX-License-Identifier: Apache-2.0
"""Odd tables and names for localize: an error, a warning, or one photo less, never a wrong figure without a word."""

import os
import pathlib

import pytest

import program

MAP = "faults/good.tif"


@pytest.fixture
def data():
    folder = pathlib.Path(os.environ.get("IMATCH_TEST_DATA", ""))
    if not (folder / MAP).exists():
        pytest.skip(f"IMATCH_TEST_DATA has no {MAP}")
    return folder


@pytest.fixture
def photos(data, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (source,) = sorted((data / "faults/ph1").glob("*.jpg"))[:1]
    (folder / "a.jpg").write_bytes(source.read_bytes())
    return folder


def localize(data, photos, tmp_path, *options, **more):
    return program.run("--quiet", "localize", "--map", data / MAP, "--photos", photos, "--footprint-m", 84, "--heading-step-deg", 90,
                       "--scales", 1, "--pictures", 0, "--out", tmp_path / "runs", *options, **more)


def test_a_truth_that_says_two_things_is_an_error(data, photos, tmp_path):
    (tmp_path / "t.csv").write_text("file,latitude_deg,longitude_deg\na.jpg,36.14,-81.0\na.jpg,37.14,-82.0\n")
    done = localize(data, photos, tmp_path, "--truth", tmp_path / "t.csv", status=1)
    assert "row 2: 'a.jpg' is there twice" in done.stderr


def test_a_truth_far_off_the_map_is_told_and_a_name_in_latin1_costs_one_photo(data, photos, tmp_path):
    with open(os.fsencode(photos) + b"/caf\xe9.jpg", "wb") as file:
        file.write((photos / "a.jpg").read_bytes())
    (tmp_path / "t.csv").write_bytes(b"file,latitude_deg,longitude_deg\na.jpg,-36.14,81.0\ncaf\xe9.jpg,36.14,-81.0\n")
    done = localize(data, photos, tmp_path, "--truth", tmp_path / "t.csv", status=1, errors="replace")
    assert "off the map" in done.stderr and "the name is not UTF-8" in done.stderr and "a.jpg" in done.stdout
    assert list((tmp_path / "runs").glob("localize/*/map.html"))
