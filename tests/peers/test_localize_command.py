# SPDX-License-Identifier: Apache-2.0
"""localize on real photographs and a real orthomosaic, judged here by the truth of a bundle adjustment; and bad input."""

import os
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from files import read_csv, read_json
from program import run


def localize(folder, *options, status=0):
    return run("--cache", folder / "cache", "localize", "--out", folder / "runs", *options, status=status, timeout=1500)


def metres(a, b):
    """Small distances on WGS 84 between rows of (latitude, longitude), by the radii of curvature there."""
    phi = np.radians(a[:, 0])
    w = 1 - 0.00669437999014 * np.sin(phi) ** 2
    north = np.radians(b[:, 0] - a[:, 0]) * 6378137.0 * (1 - 0.00669437999014) / w ** 1.5
    east = np.radians(b[:, 1] - a[:, 1]) * 6378137.0 / np.sqrt(w) * np.cos(phi)
    return np.hypot(east, north)


OPTIONS = ["--footprint-m", "84", "--scales", "1", "--heading-step-deg", "45", "--pictures", "2"]


@pytest.fixture(scope="module")
def seneca(data, tmp_path_factory):
    """A folder with the run of all photographs that the map covers."""
    folder = tmp_path_factory.mktemp("seneca")
    localize(folder, "--map", data / "seneca_map/map.tif", "--photos", data / "seneca", "--truth", data / "seneca_map/queries.csv",
             *OPTIONS)
    return folder


@pytest.fixture(scope="module")
def predictions(seneca):
    return next((seneca / "runs/localize").iterdir())


@pytest.fixture(scope="module")
def truth(data):
    return read_csv(data / "seneca_map/queries.csv")


def test_seneca(predictions, truth):
    rows = {row["photo"]: row for row in read_csv(predictions / "results.csv")}
    assert set(rows) == {t["file"] for t in truth} and len(truth) == 47

    def column(name):
        return np.array([float(rows[t["file"]][name]) for t in truth])

    true = np.array([[float(t["latitude_deg"]), float(t["longitude_deg"])] for t in truth])
    found = np.array([rows[t["file"]]["found"] == "true" for t in truth])
    error = metres(true, np.stack([column("latitude_deg"), column("longitude_deg")], 1))
    turn = np.abs((column("heading_deg") - [float(t["heading_deg"]) for t in truth] + 180) % 360 - 180)
    width = np.abs(column("width_m") / [float(t["footprint_width_m"]) for t in truth] - 1)
    assert np.mean(error <= 5) >= 0.96
    assert np.median(error) <= 0.7
    assert np.median(turn) <= 1
    assert np.median(width) <= 0.03
    assert np.mean(found) >= 0.95 and not np.any(error[found] > 5)
    np.testing.assert_allclose(column("error_m"), error, atol=1e-3)

    metrics = {m["name"]: m["value"] for m in read_json(predictions / "summary.json")["metrics"]}
    assert metrics["hit@5m"] == pytest.approx(np.mean(error <= 5))
    assert metrics["top1_median_m"] == pytest.approx(np.median(error), abs=1e-3)
    features = read_json(predictions / "predictions.geojson")["features"]
    lines = {f["properties"]["query"]: f["geometry"]["coordinates"] for f in features if f["properties"]["kind"] == "error"}
    for t in truth:
        assert lines[t["file"]][0] == pytest.approx([float(t["longitude_deg"]), float(t["latitude_deg"])])
    marks = ElementTree.parse(predictions / "predictions.kml").getroot()[0].findall("{*}Placemark")
    assert [m.find("{*}styleUrl").text for m in marks].count("#error") == len(truth)
    assert "data:image/jpeg;base64," in (predictions / "map.html").read_text()


def test_the_page_draws_every_photo(predictions, truth, browser):
    bars = "[...document.querySelectorAll('#histogram svg [aria-roledescription=bar]')].map((b) => b.getAttribute('aria-label'))"
    browser.open(predictions / "map.html", f"{bars}.length > 0")
    counts = [int(label.split("queries: ")[1]) for label in browser.evaluate(bars)]
    assert sum(counts) == len(truth) and not browser.problems


def test_a_damaged_photo_among_ones_that_the_map_does_not_cover(data, seneca, truth):
    folder = seneca / "uncovered"
    folder.mkdir()
    for photo in set(data.glob("seneca/*.jpg")) - {data / "seneca" / t["file"] for t in truth}:
        os.symlink(photo, folder / photo.name)
    (folder / "broken.jpg").write_bytes(b"no picture")
    assert "1 failed" in localize(seneca, "--map", data / "seneca_map/map.tif", "--photos", folder, *OPTIONS).stdout


def test_bad_input(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    missing = localize(tmp_path, "--map", "no such.tif", "--photos", folder, status=1)
    assert str(folder) in missing.stderr and "Traceback" not in missing.stderr
    (folder / "a.jpg").write_bytes(b"no picture")
    missing = localize(tmp_path, "--map", tmp_path / "no such.tif", "--photos", folder, "--footprint-m", "80", status=1)
    assert "no such.tif" in missing.stderr and missing.stderr.count("\n") == 1
    truth = tmp_path / "truth.csv"
    truth.write_text("file,latitude_deg,longitude_deg\na.jpg,91,0\n")
    wrong = localize(tmp_path, "--map", "m.tif", "--photos", folder, "--truth", truth, status=1)
    assert "row 1: latitude 91" in wrong.stderr
    assert "--map" in localize(tmp_path, "--photos", folder, status=2).stderr
