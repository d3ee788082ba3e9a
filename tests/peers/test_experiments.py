# SPDX-License-Identifier: Apache-2.0
"""Every script of experiments/ as a newcomer runs it, in an empty folder: it ends well, measures every cell, and its tables, read
by Python, say what they must."""

import math
import re
import statistics
import time

import pytest

import program
from files import read_csv, read_json


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def run(tmp_path, cache):
    def run_script(name, *arguments):
        script = program.ROOT / f"experiments/{name}.lua"
        done = program.run("--cache", cache, script, *arguments, cwd=tmp_path, timeout=900)
        return done.stdout + done.stderr

    return run_script


def table(folder):
    """Rows of the one run below, with numbers as such; none may have failed."""
    (path,) = folder.glob("*/results.csv")
    rows = read_csv(path)
    assert rows and {r["status"] for r in rows} == {"ok"}, path
    assert (path.parent / "report.html").stat().st_size > 100_000

    def plain(text):
        try:
            return float(text)
        except ValueError:
            return text

    return [{k: plain(v) for k, v in row.items()} for row in rows]


def mean(rows, column, **where):
    values = [r[column] for r in rows if all(r[k] == v for k, v in where.items()) and r[column] != ""]
    assert values, where
    return statistics.mean(values)


def test_the_main_job(run, tmp_path):
    out = run("sweep_thresholds")
    assert re.match(r"(?s).*With rotation search, .* within 10 px in \d+ % \(\d+ to \d+ %\) of 72 pairs, whatever the heading", out)
    assert "rough guess" in out and "best setting" in out and "report.html" in out  # three places say little
    rows = table(tmp_path / "runs/thresholds")
    assert len(rows) == 2160
    assert {"backbone", "rotation_search", "altitude_m", "rotation_deg", "match_th", "place", "num_matches", "num_inliers",
            "inlier_ratio", "precision", "matched", "corner_error_px", "time_ms", "time_spent_ms"} <= set(rows[0])
    assert {r["rotation_deg"] for r in rows} == {50.0 * k for k in range(8)} and len({r["altitude_m"] for r in rows}) == 3
    thresholds = sorted({r["match_th"] for r in rows})
    assert len(thresholds) >= 5 and len({r["place"] for r in rows}) > 2

    def within(limit_px, **where):
        return mean([dict(r, right=float(r["corner_error_px"] <= limit_px)) for r in rows], "right", **where)

    for backbone in ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"):
        # A stricter threshold leaves fewer matches; rotation search finds what lies upside down.
        counts = [mean(rows, "num_matches", backbone=backbone, match_th=th) for th in thresholds]
        assert counts == sorted(counts, reverse=True) and counts[0] > counts[-1]
        reached = {search: within(10, backbone=backbone, match_th=0.3, altitude_m=120.0, rotation_search=search)
                   for search in ("on", "off")}
        assert reached["on"] > 0.7 and reached["on"] > reached["off"] + 0.15
        # What a threshold costs does not depend on which one comes first and fills the caches.
        costs = [statistics.median(r["time_ms"] for r in rows if r["backbone"] == backbone and r["match_th"] == th) for th in thresholds]
        assert max(costs) < 1.5 * min(costs)
        spent = [statistics.median(r["time_spent_ms"] for r in rows if r["backbone"] == backbone and r["match_th"] == th)
                 for th in thresholds]
        assert spent[0] > 3 * spent[-1]

    (folder,) = (tmp_path / "runs/thresholds").iterdir()
    for name in ("plan.csv", "results.jsonl", "best.json", "failed.csv", "provenance.json"):
        assert (folder / name).exists(), name
    assert len(list((folder / "cells").glob("*.json"))) == len(rows) and list(folder.rglob("*.png"))
    before = (folder / "results.csv").read_bytes()
    start = time.monotonic()
    assert "0 measured" in run("sweep_thresholds")
    assert time.monotonic() - start < 10  # under 2 s on a quiet machine
    assert (folder / "results.csv").read_bytes() == before


def test_the_main_job_on_real_photographs(data, run, tmp_path):
    run("sweep_thresholds", "--map", f"{data}/seneca_map/map.tif", "--photos", f"{data}/seneca", "--truth",
        f"{data}/seneca_map/queries.csv")
    (folder,) = (tmp_path / "runs").iterdir()
    rows = table(folder)
    upright = [r for r in rows if r["backbone"] == "efficientnet_lite0" and r["rotation_deg"] == 0 and r["rotation_search"] == "off"]
    assert max(mean(upright, "precision", match_th=th) for th in {r["match_th"] for r in upright}) > 0.5


def test_overlap(data, run, tmp_path):
    out = run("overlap", "--photos", f"{data}/brighton_beach")
    assert "report" in out
    rows = table(next((tmp_path / "runs").iterdir()))
    assert len(rows) >= 10


def test_first_steps(run, tmp_path):
    run("first_steps")
    assert len(list((tmp_path / "first_steps").glob("*.png"))) >= 3


def test_better_or_noise(run, tmp_path):
    out = run("better_or_noise", "3")
    assert "[" in out and "]" in out  # an interval
    assert {r["backbone"] for r in table(tmp_path / "runs/better_or_noise")} == {"dense_sift", "efficientnet_lite0"}


def test_image_size(run, tmp_path):
    out = run("image_size")
    rows = table(tmp_path / "runs/image_size")
    assert mean(rows, "time_ms", image_size=640.0) > mean(rows, "time_ms", image_size=160.0)
    # Within a tolerance of the original picture, the larger input wins; within one cell of its own grid the smallest would.
    assert mean(rows, "right_matches", image_size=640.0) > 2 * mean(rows, "right_matches", image_size=160.0)
    medians = [statistics.median(r["corner_error_px"] for r in rows if r["image_size"] == size) for size in (160.0, 640.0)]
    assert medians[1] < medians[0]
    best = re.search(r"best setting .*: image_size=(\d+)", out)
    assert int(best[1]) >= 320


ALTITUDE_VIEWS = """
local map = assert(im.render.map(arg[1]))
local file = assert(io.open(arg[2] .. "/truth.csv", "w"))
file:write "file,latitude_deg,longitude_deg,heading_deg,footprint_width_m\\n"
for frame = 1, 3 do
  for i, altitude_m in ipairs { 70, 90 } do
    local x_m, y_m, heading_deg = 60 * frame - 120, 20 * i, 40 * i * frame
    local name = ("SEN_%03d_%04d.png"):format(altitude_m, frame)
    local view = map:view { x_m = x_m, y_m = y_m, altitude_m = altitude_m, heading_deg = heading_deg, width = 640, height = 480 }
    assert(view:image():save(arg[2] .. "/" .. name))
    local latitude_deg, longitude_deg = map:latlon_from_local(x_m, y_m)
    file:write(("%s,%.8f,%.8f,%g,%.4f\\n"):format(name, latitude_deg, longitude_deg, heading_deg,
      im.geo.ground_width_m(altitude_m, 60)))
  end
end
file:close()
"""


def test_altitude_pairs(data, run, tmp_path):
    program.lua(ALTITUDE_VIEWS, data / "seneca_map/map.tif", tmp_path)
    run("altitude_pairs", "--root", tmp_path, "--truth", tmp_path / "truth.csv")
    rows = table(tmp_path / "runs/altitude-pairs")
    assert len(rows) == 3 * 2 * 2 * 3 and {(r["query_altitude"], r["reference_altitude"]) for r in rows} == {(70.0, 90.0), (90.0, 70.0)}
    searched = [r for r in rows if r["rotation_search"] == "on" and r["match_th"] == 0.3]
    assert {r["judged_by"] for r in rows} == {"truth"}
    assert mean(searched, "right") >= 5 / 6 and statistics.median(r["error_m"] for r in searched) < 3
    assert mean(searched, "right") >= mean([r for r in rows if r["rotation_search"] == "off"], "right")
    (page,) = (tmp_path / "runs/altitude-pairs").glob("*/report.html")
    chosen = re.search(r'"heat_x" ?: ?"(\w+)"', page.read_text()), re.search(r'"heat_y" ?: ?"(\w+)"', page.read_text())
    assert {found.group(1) for found in chosen} == {"query_altitude", "reference_altitude"}  # the heat map that is seen first
    run("altitude_pairs", "--root", tmp_path)  # these views say nothing of themselves: the verdict counts
    (verdicts,) = [rows for rows in map(read_csv, (tmp_path / "runs/altitude-pairs").glob("*/results.csv"))
                   if rows[0]["judged_by"] == "verdict"]
    assert all(float(r["right"]) == float(r["matched"]) for r in verdicts)


def test_jpeg_quality(run, tmp_path):
    run("jpeg_quality")
    rows = table(tmp_path / "runs/jpeg_quality")
    for backbone in ("dense_sift", "efficientnet_lite0"):
        assert mean(rows, "precision", backbone=backbone, quality=95.0) > mean(rows, "precision", backbone=backbone, quality=2.0)


def test_listed_points(run, tmp_path):
    run("listed_points")
    table(tmp_path / "runs/listed_points")


def test_random_search_adds_to_what_is_there(run, tmp_path):
    run("random_search", "12")
    assert len(table(tmp_path / "runs/random_search")) == 12
    assert "8 measured" in run("random_search", "20")


def test_sweep_backbones_without_weights_says_what_is_absent(run, tmp_path):
    out = run("sweep_backbones", "--weights-root", str(tmp_path))
    assert "vits16" in out
    rows = table(next((tmp_path / "runs").iterdir()))
    assert {"dense_sift", "efficientnet_lite0"} <= {r["setting"].split()[0] for r in rows}


def test_altitude_rotation(run, tmp_path):
    run("altitude_rotation", "--places", "1")
    rows = table(tmp_path / "runs/altitude-rotation")
    assert {r["overlap"] for r in rows} == {0.5, 0.7}
    near = [r for r in rows if r["altitude_m"] == 70]
    assert mean(near, "found") > 0.8 and mean(near, "wrong") == 0 and mean(near, "recall_5") > 0.7


def test_dualpm_animals(data, run, tmp_path):
    """Few steps: that it runs as it stands, goes on, and says what it says."""
    fox = data / "fox/Fox.glb"
    out = run("dualpm_animals", fox, "animal", 2)
    assert "192 pictures to train on, 24 of other moments" in out
    loss, constant = map(float, re.search(r"held out: loss (\S+); the best constant prediction has (\S+)", out).groups())
    assert constant < 3 and loss > constant  # two steps are too few
    assert len(list((tmp_path / "animal/data/pointmaps_64").iterdir())) == 192
    assert "step 3: loss" in run("dualpm_animals", fox, "animal", 3)
    assert (tmp_path / "animal/run/pictures/0000003.png").exists()


def test_localize_calibration(run, tmp_path):
    """Where the map is exact and nothing but the matching is wrong, the true position lies in the ellipses as often as they say.
    The bounds are five points and what so few photos leave open: twice the deviation of a share."""
    out = run("localize_calibration", "--scenes", 1, "--photos", 50)
    rows = [r for r in table(tmp_path / "runs/localize-calibration") if r["found"] == "true"]
    assert len(rows) >= 48
    inside = {}
    for percent in (68, 95):
        p, within = percent / 100, 0
        for r in rows:
            u, v = r["east_error_m"] / r["east_sigma_m"], r["north_error_m"] / r["north_sigma_m"]
            c = r["east_north_correlation"]
            within += (u * u - 2 * c * u * v + v * v) / (1 - c * c) <= -2 * math.log(1 - p)
        inside[percent] = within / len(rows)
        assert abs(inside[percent] - p) <= 0.05 + 2 * math.sqrt(p * (1 - p) / len(rows)), inside
    assert f"68 % ellipse for {100 * inside[68]:.1f} %, in the 95 % ellipse for {100 * inside[95]:.1f} %" in out
    assert statistics.median(r["error_m"] for r in rows) < 0.1


def test_localize_seneca(data, run, tmp_path):
    out = run("localize_seneca", "--heading-step-deg", "45")
    figures = dict(re.findall(r"^  (\S+) +([-+.\d]+)", out, re.MULTILINE))
    assert float(figures["hit@5m"]) >= 0.96 and float(figures["top1_median_m"]) <= 0.7
    assert float(figures["heading_median_deg"]) <= 1 and float(figures["false_positives"]) == 0 and float(figures["found_rate"]) >= 0.95
    assert "first tile only" in out
    (folder,) = (tmp_path / "runs/seneca").iterdir()
    assert read_json(folder / "summary.json")["metrics"]
