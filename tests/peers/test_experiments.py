# SPDX-License-Identifier: Apache-2.0
"""Every script of experiments/ as a newcomer runs it, in an empty folder: it ends well, measures every cell, and its tables, read
by Python, say what they must."""

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
    assert "best setting" in out and "report.html" in out
    rows = table(tmp_path / "runs/thresholds")
    assert len(rows) >= 500
    assert {"backbone", "altitude_m", "rotation_deg", "match_th", "place", "num_matches", "num_inliers", "inlier_ratio", "precision",
            "corner_error_px", "time_ms"} <= set(rows[0])
    assert {r["rotation_deg"] for r in rows} == {45.0 * k for k in range(8)} and len({r["altitude_m"] for r in rows}) == 3
    assert len({r["match_th"] for r in rows}) >= 5 and len({r["place"] for r in rows}) > 2
    # A stricter threshold leaves fewer matches; upright views match better than ones upside down.
    thresholds = sorted({r["match_th"] for r in rows})
    for backbone in ("dense_sift", "efficientnet_lite0"):
        def best(column, rotation_deg):
            return max(mean(rows, column, backbone=backbone, match_th=th, rotation_deg=rotation_deg) for th in thresholds)

        counts = [mean(rows, "num_matches", backbone=backbone, match_th=th) for th in thresholds]
        assert counts == sorted(counts, reverse=True) and counts[0] > counts[-1]
        assert best("precision", 0.0) > best("precision", 180.0) and best("precision", 0.0) > 0.25
        assert best("num_inliers", 0.0) > best("num_inliers", 180.0)

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
    upright = [r for r in rows if r["backbone"] == "efficientnet_lite0" and r["rotation_deg"] == 0]
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
    run("image_size")
    rows = table(tmp_path / "runs/image_size")
    assert mean(rows, "time_ms", image_size=640.0) > mean(rows, "time_ms", image_size=160.0)


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


def test_localize_seneca(data, run, tmp_path):
    out = run("localize_seneca", "--heading-step-deg", "45")
    figures = dict(re.findall(r"^  (\S+) +([-+.\d]+)", out, re.MULTILINE))
    assert float(figures["hit@5m"]) >= 0.96 and float(figures["top1_median_m"]) <= 0.7
    assert float(figures["heading_median_deg"]) <= 1 and float(figures["false_positives"]) == 0 and float(figures["found_rate"]) >= 0.95
    assert "first tile only" in out
    (folder,) = (tmp_path / "runs/seneca").iterdir()
    assert read_json(folder / "summary.json")["metrics"]
