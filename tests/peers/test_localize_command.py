# SPDX-License-Identifier: Apache-2.0
"""localize on real photographs and a real orthomosaic, judged here by the truth of a bundle adjustment; and bad input."""

import os
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import pages
from files import read_csv, read_json
from program import lua, run


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
    # The ellipses are as large as the errors, three texels of the map being counted for its own. One photo is 2.1 points.
    assert metrics["map_sigma_m"] == pytest.approx(0.45, abs=0.01)
    assert metrics["coverage_68"] == pytest.approx(0.68, abs=0.05 + 1 / 47) and metrics["coverage_95"] == pytest.approx(0.95, abs=0.05)
    said = run("evaluate", predictions).stdout
    assert f"{100 * metrics['coverage_68']:.0f} % and in the 95 % ellipse for {100 * metrics['coverage_95']:.0f} %" in said
    assert "0.45 m along each axis for the map's own error" in said and said.count("\n") == 3
    features = read_json(predictions / "predictions.geojson")["features"]
    lines = {f["properties"]["query"]: f["geometry"]["coordinates"] for f in features if f["properties"]["kind"] == "error"}
    for t in truth:
        assert lines[t["file"]][0] == pytest.approx([float(t["longitude_deg"]), float(t["latitude_deg"])])
    marks = ElementTree.parse(predictions / "predictions.kml").getroot()[0].findall("{*}Placemark")
    assert [m.find("{*}styleUrl").text for m in marks].count("#error") == len(truth)
    assert "data:image/jpeg;base64," in (predictions / "map.html").read_text()


def test_in_8_bits_the_photos_lie_where_they_lie_in_float32(data, predictions, truth, tmp_path):
    localize(tmp_path, "--map", data / "seneca_map/map.tif", "--photos", data / "seneca", "--truth", data / "seneca_map/queries.csv",
             *OPTIONS[:-1], "0", "--backbone", "efficientnet_lite0 dtype=int8")
    folder = next((tmp_path / "runs/localize").iterdir())
    rounded, exact = ({row["photo"]: row for row in read_csv(f / "results.csv")} for f in (folder, predictions))

    def errors(rows):
        return np.array([float(rows[t["file"]]["error_m"]) for t in truth])

    for limit in (3, 5):
        assert np.mean(errors(rounded) <= limit) >= np.mean(errors(exact) <= limit) - 0.01
    assert np.median(errors(rounded)) <= np.median(errors(exact)) + 0.1
    assert all(row["found"] == "true" for row in rounded.values() if exact[row["photo"]]["found"] == "true")


def test_the_page_draws_every_photo(predictions, truth, browser):
    bars = "[...document.querySelectorAll('#histogram svg [aria-roledescription=bar]')].map((b) => b.getAttribute('aria-label'))"
    browser.open(predictions / "map.html", f"{bars}.length > 0")
    counts = [int(label.split("queries: ")[1]) for label in browser.evaluate(bars)]
    assert sum(counts) == len(truth) and not browser.problems


def test_the_map_comes_first_with_frames_ellipses_and_a_table(predictions, truth, browser, data):
    page, drawn = predictions / "map.html", "document.documentElement.dataset.drawn && document.documentElement.dataset.map"
    pages.check(browser, page, "localization", drawn)
    browser.open(page, drawn)
    sections = browser.evaluate("[...document.querySelectorAll('main > *')].filter((e) => !e.hidden && e.tagName === 'SECTION').map((e) => e.id)")
    assert sections[:3] == ["answer", "map-section", "photos-section"]
    answer = browser.evaluate("document.getElementById('answer').innerText")
    assert re.match(r"4[5-7] of 47 photos were found; they lie 0\.\d+ m off in the median and \d\.\d+ m in 90 %; none of those found are farther than 5 m off\.",
                    answer), answer
    # The frames lie where the photos were predicted: their middles and widths, from the numbers of the table of results.
    rows = {row["photo"]: row for row in read_csv(predictions / "results.csv")}
    points = browser.evaluate("JSON.parse(document.getElementById('data').textContent).points.map((p) => [p.query, p.footprint, p.ellipse])")
    assert len(points) == 47
    for name, corners, ellipse in points:
        row, corners = rows[name], np.array(corners)
        place = np.array([[float(row["latitude_deg"]), float(row["longitude_deg"])]])
        assert metres(place, corners.mean(0)[None])[0] < 0.05
        sides = metres(corners, np.roll(corners, -1, 0))
        assert sides == pytest.approx([float(row["width_m"]) * s for s in (1, 0.75, 1, 0.75)], rel=2e-3)
        up = (corners[:2].mean(0) - place[0]) * [1, np.cos(np.radians(place[0, 0]))]
        assert (np.degrees(np.arctan2(up[1], up[0])) - float(row["heading_deg"]) + 180) % 360 - 180 == pytest.approx(0, abs=0.5)
        # The ellipse touches 2.4477 standard deviations: its farthest east and north.
        offsets = (np.array(ellipse) - place) * 111_320 * [1, np.cos(np.radians(place[0, 0]))]
        assert np.abs(offsets[:, 1]).max() == pytest.approx(2.4477 * float(row["east_sigma_m"]), rel=0.03)
        assert np.abs(offsets[:, 0]).max() == pytest.approx(2.4477 * float(row["north_sigma_m"]), rel=0.03)
    assert browser.evaluate("document.querySelectorAll('#map path.ellipse').length") == 47
    # Worst first; a row and the map know of each other.
    names = browser.evaluate("[...document.querySelectorAll('#photos tbody tr')].map((r) => r.cells[1].textContent)")
    assert names == sorted(rows, key=lambda n: -float(rows[n]["error_m"])) and browser.evaluate("document.querySelectorAll('#photos img').length") == 47
    before = browser.evaluate("window.places.map.getZoom()")
    browser.evaluate("document.querySelectorAll('#photos tbody tr')[3].click()")
    browser.wait(f"window.places.map.getZoom() > {before} && document.querySelector('#photos tr.selected').cells[1].textContent === '{names[3]}'")
    browser.evaluate("document.querySelector('#map path.ellipse').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    browser.wait(f"document.documentElement.dataset.selected !== '{names[3]}' && document.querySelector('#photos tr.selected').cells[1].textContent === document.documentElement.dataset.selected")
    # Where the map has no data, the page shows through.
    alpha = browser.evaluate("""(async () => { const image = document.querySelector('img.map-picture'); await image.decode();
      const c = document.createElement('canvas'); c.width = image.naturalWidth; c.height = image.naturalHeight; const g = c.getContext('2d'); g.drawImage(image, 0, 0);
      const d = g.getImageData(0, 0, c.width, c.height).data; let clear = 0, full = 0;
      for (let i = 3; i < d.length; i += 4) { clear += d[i] < 8; full += d[i] > 247; } return [clear * 4 / d.length, full * 4 / d.length]; })()""")
    valid = float(lua("print(1 - select(2, pcall(function() local m = assert(im.render.map(arg[1])) local e = m:extent() local w = e.east_m - e.west_m "
                      "return m:view({ x_m = (e.west_m + e.east_m) / 2, y_m = (e.south_m + e.north_m) / 2, width = 400, height = math.floor(400 * "
                      "(e.north_m - e.south_m) / w), fov_deg = 60, altitude_m = im.geo.altitude_for_width_m(w, 60) }):coverage() end)))",
                      data / "seneca_map/map.tif"))
    assert alpha[0] == pytest.approx(valid, abs=0.02) and sum(alpha) > 0.97 and alpha[0] > 0.05


def test_a_damaged_photo_among_ones_that_the_map_does_not_cover(data, seneca, truth):
    folder = seneca / "uncovered"
    folder.mkdir()
    for photo in set(data.glob("seneca/*.jpg")) - {data / "seneca" / t["file"] for t in truth}:
        os.symlink(photo, folder / photo.name)
    (folder / "broken.jpg").write_bytes(b"no picture")
    assert "1 failed" in localize(seneca, "--map", data / "seneca_map/map.tif", "--photos", folder, *OPTIONS).stdout


def test_several_maps_get_a_folder_each(data, tmp_path):
    """Two maps, two files of one name among them, and one --out: nothing of the first is lost."""
    folder = tmp_path / "photos"
    folder.mkdir()
    photo = sorted(data.glob("seneca/*.jpg"))[0]
    os.symlink(photo, folder / photo.name)
    rasterio = pytest.importorskip("rasterio")
    for name, rows in (("north", (0, 700)), ("south", (300, 1000))):
        (tmp_path / name).mkdir()
        with rasterio.open(data / "seneca_map/map.tif") as whole:
            window = rasterio.windows.Window(0, rows[0], min(1000, whole.width), rows[1] - rows[0])
            profile = {**whole.profile, "width": window.width, "height": window.height,
                       "transform": whole.window_transform(window)}
            with rasterio.open(tmp_path / name / "map.tif", "w", **profile) as part:
                part.write(whole.read(window=window))
    for name in ("north", "south", "north"):
        localize(tmp_path, "--map", tmp_path / name / "map.tif", "--photos", folder, "--footprint-m", "84", "--scales", "1",
                 "--heading-step-deg", "90", "--pictures", "0")
    runs = sorted((tmp_path / "runs/localize").iterdir())
    assert len([run for run in runs if run.is_dir() and not run.is_symlink()]) == 2
    assert all((run / "map.html").exists() and len(read_csv(run / "results.csv")) == 1 for run in runs)


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
