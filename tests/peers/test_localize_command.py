# SPDX-License-Identifier: Apache-2.0
"""localize on real photographs and a real orthomosaic, judged here by the truth of a bundle adjustment; and bad input."""

import csv
import json
import os
import subprocess
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import chromium

PROGRAM = os.environ.get("IMATCH_LUA", os.path.join(os.path.dirname(__file__), "../../build/imatch-lua"))
DATA = os.environ.get("IMATCH_TEST_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="IMATCH_TEST_DATA is not set")


def localize(tmp_path, *options):
    return subprocess.run([PROGRAM, "--cache", str(tmp_path / "cache"), "localize", "--out", str(tmp_path / "runs"), *options],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1500)


def metres(a, b):
    """Small distances on WGS 84 between rows of (latitude, longitude), by the radii of curvature there."""
    phi = np.radians(a[:, 0])
    w = 1 - 0.00669437999014 * np.sin(phi) ** 2
    north = np.radians(b[:, 0] - a[:, 0]) * 6378137.0 * (1 - 0.00669437999014) / w ** 1.5
    east = np.radians(b[:, 1] - a[:, 1]) * 6378137.0 / np.sqrt(w) * np.cos(phi)
    return np.hypot(east, north)


@needs_data
def test_seneca(tmp_path):
    options = ["--map", DATA + "/seneca_map/map.tif", "--photos", DATA + "/seneca", "--truth", DATA + "/seneca_map/queries.csv",
               "--footprint-m", "84", "--scales", "1", "--heading-step-deg", "45", "--pictures", "2"]
    first = localize(tmp_path, *options)
    assert first.returncode == 0, first.stderr
    run = next((tmp_path / "runs/localize").iterdir())
    with open(run / "results.csv", newline="") as file:
        rows = {row["photo"]: row for row in csv.DictReader(file)}
    with open(DATA + "/seneca_map/queries.csv", newline="") as file:
        truth = list(csv.DictReader(file))
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

    metrics = {m["name"]: m["value"] for m in json.loads((run / "summary.json").read_text())["metrics"]}
    assert metrics["hit@5m"] == pytest.approx(np.mean(error <= 5))
    assert metrics["top1_median_m"] == pytest.approx(np.median(error), abs=1e-3)
    features = json.loads((run / "predictions.geojson").read_text())["features"]
    lines = {f["properties"]["query"]: f["geometry"]["coordinates"] for f in features if f["properties"]["kind"] == "error"}
    for t in truth:
        assert lines[t["file"]][0] == pytest.approx([float(t["longitude_deg"]), float(t["latitude_deg"])])
    marks = ElementTree.parse(run / "predictions.kml").getroot()[0].findall("{*}Placemark")
    assert [m.find("{*}styleUrl").text for m in marks].count("#error") == len(truth)
    assert "data:image/jpeg;base64," in (run / "map.html").read_text()
    if chromium.PROGRAM:
        bars = "[...document.querySelectorAll('#histogram svg [aria-roledescription=bar]')].map((b) => b.getAttribute('aria-label'))"
        with chromium.Chromium() as browser:
            browser.open(run / "map.html", f"{bars}.length > 0")
            counts = [int(label.split("queries: ")[1]) for label in browser.evaluate(bars)]
            assert sum(counts) == len(truth) and not browser.problems

    # Photos that the map does not cover must not be found elsewhere: what is given has to be right, not only there.
    uncovered = sorted(set(os.listdir(DATA + "/seneca")) - set(rows) - {"LICENSE"})
    folder = tmp_path / "uncovered"
    folder.mkdir()
    for name in uncovered:
        if name.endswith(".jpg"):
            os.symlink(DATA + "/seneca/" + name, folder / name)
    (folder / "broken.jpg").write_bytes(b"no picture")
    second = localize(tmp_path, *options[:2], "--photos", str(folder), *options[6:])
    assert second.returncode == 0, second.stderr
    assert "1 failed" in second.stdout


def test_bad_input(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    missing = localize(tmp_path, "--map", "no such.tif", "--photos", str(folder))
    assert missing.returncode == 1 and str(folder) in missing.stderr and "Traceback" not in missing.stderr
    (folder / "a.jpg").write_bytes(b"no picture")
    missing = localize(tmp_path, "--map", str(tmp_path / "no such.tif"), "--photos", str(folder), "--footprint-m", "80")
    assert missing.returncode == 1 and "no such.tif" in missing.stderr and missing.stderr.count("\n") == 1
    truth = tmp_path / "truth.csv"
    truth.write_text("file,latitude_deg,longitude_deg\na.jpg,91,0\n")
    wrong = localize(tmp_path, "--map", "m.tif", "--photos", str(folder), "--truth", str(truth))
    assert wrong.returncode == 1 and "row 1: latitude 91" in wrong.stderr
    usage = localize(tmp_path, "--photos", str(folder))
    assert usage.returncode == 2 and "--map" in usage.stderr
