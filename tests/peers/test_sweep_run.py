# SPDX-License-Identifier: Apache-2.0
"""Sweeps as separate processes: killed, stopped, interrupted, several at once, on a full disk; tables read by others."""

import hashlib
import json
import random
import re
import signal
import statistics
import subprocess
import time

import pytest

import program
from files import read_csv, read_json, read_json_lines
from program import UNNOTED, finish

SCRIPT = UNNOTED + """\
local result = im.sweep {
  name = "peer", out = "runs", report = false,
  axes = { i = im.range(1, tonumber(arg[1])), th = { 0.25, 0.5 }, word = { "a,b", 'say "hi"' } },
  best = { metric = "score", direction = "max", over = { "i" } },
  measure = function(p, cell)
    im.sleep(tonumber(unnoted "SLEEP_S"))
    if p.i % 11 == 5 then error("cell " .. p.i .. " is broken") end
    return { score = p.i * p.th / 3, far = p.i % 4 == 0 and 1 / 0 or p.i, draw = math.random(), even = p.i % 2 == 0,
      time_ms = 1, time_spent_ms = 1 }
  end,
}
print(result)
"""


def start(folder, n=20, sleep_s=0.0, *options):
    (folder / "sweep.lua").write_text(SCRIPT)
    return program.start(*options, "sweep.lua", n, cwd=folder, env={"SLEEP_S": str(sleep_s)})


def run_folder(folder):
    (path,) = (folder / "runs" / "peer").iterdir()
    return path


def rows(folder):
    return read_csv(run_folder(folder) / "results.csv")


def without_times(table):
    # The wall time of a failed cell is measured; that of the others the script reports as 1.
    return [dict(row, time_ms=None, time_spent_ms=None) for row in table]


def cells(folder):
    return sorted((folder / "runs" / "peer").glob("*/cells/*.json"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    finish(start(folder))
    return folder


def test_tables_agree_with_python(undisturbed):
    table = rows(undisturbed)
    assert list(table[0]) == ["cell_key", "i", "th", "word", "draw", "even", "far", "score", "time_ms", "time_spent_ms", "status", "error"]
    assert len(table) == 80
    lines = read_json_lines(run_folder(undisturbed) / "results.jsonl")
    assert [line["cell_key"] for line in lines] == [row["cell_key"] for row in table]
    for row, line in zip(table, lines):
        params = {"i": int(row["i"]), "th": float(row["th"]), "word": row["word"]}
        canonical = json.dumps(params, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert row["cell_key"] == hashlib.sha256(canonical.encode()).hexdigest()[:24]
        if params["i"] % 11 == 5:
            assert row["status"] == "failed" and f"cell {params['i']} is broken" in row["error"]
            continue
        assert row["status"] == "ok"
        assert float(row["score"]) == params["i"] * params["th"] / 3
        assert float(row["far"]) == (float("inf") if params["i"] % 4 == 0 else params["i"])
        assert line["far"] == (None if params["i"] % 4 == 0 else params["i"])
        assert row["even"] == ("true" if params["i"] % 2 == 0 else "false")
    failed = read_csv(run_folder(undisturbed) / "failed.csv")
    assert {row["i"] for row in failed} == {"5", "16"}
    assert len(read_csv(run_folder(undisturbed) / "plan.csv")) == 80


def test_best_setting_agrees_with_python(undisturbed):
    best = read_json(run_folder(undisturbed) / "best.json")
    good = [row for row in rows(undisturbed) if row["status"] == "ok"]
    assert best["cell"]["metrics"]["score"] == max(float(row["score"]) for row in good)
    group = [float(r["score"]) for r in good if r["th"] == "0.5" and r["word"] == "a,b"]
    assert best["setting"]["params"] == {"th": 0.5, "word": "a,b"}
    assert best["setting"]["mean"] == pytest.approx(statistics.mean(group), rel=1e-12)
    assert best["setting"]["std"] == pytest.approx(statistics.stdev(group), rel=1e-12)
    assert best["setting"]["median"] == pytest.approx(statistics.median(group), rel=1e-12)
    assert best["setting"]["num_cells"] == 20 and best["setting"]["num_missing"] == 2


def test_provenance_says_who_and_what(undisturbed):
    provenance = read_json(run_folder(undisturbed) / "provenance.json")
    assert provenance["script_sha256"] == hashlib.sha256(SCRIPT.encode()).hexdigest()
    assert provenance["command_line"][-2:] == ["sweep.lua", "20"]
    assert provenance["started"] < provenance["stopped"]
    assert provenance["num_cells_run"] == 80
    assert provenance["versions"] and provenance["cpu"] and provenance["seed"] == 0
    assert [i["name"] for i in provenance["inputs"] if i["kind"] == "file"] == ["sweep.lua"]
    assert len(provenance["sessions"]) == 1


def test_killed_at_random_moments_it_ends_as_if_nothing_had_happened(tmp_path, undisturbed):
    moments = random.Random(11)
    for kill in range(10):
        processes = [start(tmp_path, 20, 0.01, "--quiet") for _ in range(1 + kill % 3)]
        time.sleep(moments.uniform(0.3, 1.0))
        for process in processes:
            process.kill()
        for process in processes:
            process.communicate()
    kept = {path: path.stat().st_mtime_ns for path in cells(tmp_path)}
    out, _ = finish(start(tmp_path))
    assert f"{80 - len(kept)} measured, {len(kept)} cached" in out
    assert all(path.stat().st_mtime_ns == modified for path, modified in kept.items())
    assert without_times(rows(tmp_path)) == without_times(rows(undisturbed))
    assert not list(run_folder(tmp_path).glob("cells/*.claim*"))


def test_processes_divide_the_cells(tmp_path, undisturbed):
    processes = [start(tmp_path, 20, 0.03) for _ in range(3)]
    measured = []
    for process in processes:
        out, _ = finish(process)
        measured.append(int(out.split(" measured")[0].split()[-1]))
    assert sum(measured) == 80
    assert sum(n > 0 for n in measured) >= 2
    assert without_times(rows(tmp_path)) == without_times(rows(undisturbed))


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_can_be_resumed(tmp_path, undisturbed, name):
    process = start(tmp_path, 20, 0.05)
    deadline = time.monotonic() + 60
    while len(cells(tmp_path)) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(name)
    asked = time.monotonic()
    finish(process, 128 + name)
    assert time.monotonic() - asked < 10
    kept = len(cells(tmp_path))
    assert 5 <= kept < 80
    assert not list(run_folder(tmp_path).glob("cells/*.claim*"))
    assert len(rows(tmp_path)) == kept
    out, _ = finish(start(tmp_path))
    assert f"{80 - kept} measured" in out
    assert without_times(rows(tmp_path)) == without_times(rows(undisturbed))


def test_an_unwritable_folder_is_one_line_on_stderr(tmp_path):
    (tmp_path / "runs").write_text("a file in its place")
    _, err = finish(start(tmp_path), 1)
    lines = [line for line in err.splitlines() if "runs/peer" in line]
    assert len(lines) == 1 and "cannot" in lines[0], err


def test_a_full_disk_loses_nothing(tmp_path, undisturbed):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", disk], capture_output=True).returncode != 0:
        pytest.skip("a full disk needs the right to mount a tmpfs")
    try:
        _, err = finish(start(disk, 20), 1)
        lines = [line for line in err.splitlines() if "disk is full" in line]
        assert len(lines) == 1 and "runs/peer" in lines[0], err
        kept = len(cells(disk))
        assert 0 < kept < 80
        subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
        out, _ = finish(start(disk, 20))
        assert f"{80 - kept} measured, {kept} cached" in out
        assert without_times(rows(disk)) == without_times(rows(undisturbed))
    finally:
        subprocess.run(["umount", disk])


def test_10000_cached_cells(tmp_path):
    script = tmp_path / "many.lua"
    script.write_text("""
local im = require "imatch"
local start = im.now()
local result = im.sweep { name = "many", out = "runs", axes = { i = im.range(1, 5000), th = { 1, 2 } },
  measure = function(p) return { a = p.i, b = p.th / p.i, c = math.random(), d = p.i % 7 } end, report = false }
print(im.now() - start)
""")
    seconds = []
    for _ in range(2):
        begin = time.monotonic()
        done = program.run("--quiet", script, cwd=tmp_path)
        seconds.append((time.monotonic() - begin, float(done.stdout.split()[-1])))
    print(f"10,000 cells: {seconds[0][1] / 10:.3f} ms for an empty one; all cached: {seconds[1][0]:.2f} s in all, "
          f"{seconds[1][1]:.2f} s of it the sweep")
    assert "0 measured, 10000 cached" in done.stdout


UNEVEN = """
local im = require "imatch"
im.sweep { name = "uneven", quiet = false, report = false, axes = { scene = im.range(1, 12 * arg[1]), th = im.linspace(0, 1, 6) },
  order = { "scene", "th" }, setup = function() im.sleep(2) end,
  measure = function(p) im.sleep((p.th == 0 and 0.6 or 0.06) + (p.scene == 1 and p.th == 0 and 2 or 0)) return { y = p.th } end }
"""


def seconds_of(text):
    """Of "2 min 5 s"."""
    return sum(float(n) * {"h": 3600, "min": 60, "s": 1}[unit] for n, unit in re.findall(r"([\d.]+) (h|min|s)\b", text))


@pytest.mark.parametrize("processes", [1, 2])
def test_the_first_time_left_is_right_within_a_factor_of_three(tmp_path, processes):
    """A setup, a dear first cell, and a dear one for each scene, whose features the others share, as the main job has them."""
    (tmp_path / "uneven.lua").write_text(UNEVEN)
    process = program.start("sweep", "run", "-j", processes, "uneven.lua", processes, cwd=tmp_path)
    told = [(time.monotonic(), seconds_of(left[1])) for line in process.stderr if (left := re.search(r"([^,]*) left", line))]
    end = time.monotonic()
    finish(process)
    at, left = told[0]
    assert end - at > 1.5, told  # told while it still helps
    assert (end - at) / 3 < left < 3 * (end - at), (left, end - at)
