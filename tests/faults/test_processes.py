# SPDX-License-Identifier: Apache-2.0
"""Sweeps in several processes: signals reach all of them, whoever is killed, and what is on the disk is of one sweep."""

import csv
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

import program

SCRIPT = """
local im = require "imatch"
im.sweep { name = "s", out = arg[1], axes = { a = im.range(1, 100) }, quiet = true, report = false, pictures = 0,
  setup = function() if arg[3] then im.sleep(tonumber(arg[3])) end end,
  measure = function(p) im.sleep(tonumber(arg[2])) return { score = p.a, cache = im.cache.settings().enabled } end }
"""


def local_ranks(pid):
    return re.findall(r"(?:^|\0)LOCAL_RANK=(\d+)", pathlib.Path(f"/proc/{pid}/environ").read_text())


@pytest.fixture
def script(tmp_path):
    (tmp_path / "s.lua").write_text(SCRIPT)
    return tmp_path / "s.lua"


def folder_of(runs):
    (folder,) = (runs / "s").iterdir()
    return folder


def num_cells(runs):
    return len(list(runs.glob("s/*/cells/*.json")))


def wait_for(condition, seconds=30):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def children_of(pid):
    return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_to_the_parent_stops_all(script, tmp_path, number):
    runs = tmp_path / "runs"
    process = program.start("sweep", "run", "-j", 2, script, runs, 0.2)
    wait_for(lambda: num_cells(runs) >= 4)
    workers = children_of(process.pid)
    assert len(workers) == 2
    process.send_signal(number)
    _, error = process.communicate(timeout=20)
    assert process.returncode == 128 + number, error
    assert not any(is_running(pid) for pid in workers)
    at_end, folder = num_cells(runs), folder_of(runs)
    with (folder / "results.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == at_end < 100  # tables are written, claims given back
    assert not list((folder / "cells").glob("*.claim*")) and not list((folder / "workers").glob("*.alive"))


def test_workers_go_with_a_killed_parent(script, tmp_path):
    process = program.start("sweep", "run", "-j", 2, script, tmp_path / "runs", 0.2)
    wait_for(lambda: num_cells(tmp_path / "runs") >= 2)
    workers = children_of(process.pid)
    process.kill()
    process.wait()
    wait_for(lambda: not any(is_running(pid) for pid in workers), 10)


TOLD = """
local im = require "imatch"
local result = im.sweep { name = "s", out = arg[1], axes = { a = im.range(1, 40) }, best = { metric = "score", direction = "max" },
  answer = function() return "forty is the most" end, measure = function(p) im.sleep(0.1) return { score = p.a } end }
print("the script saw " .. #result.rows .. " rows")
"""


@pytest.mark.parametrize("which, number", [("first", signal.SIGKILL), ("first", signal.SIGTERM), ("other", signal.SIGKILL)])
def test_whoever_lives_on_prints_the_summary_and_leaves_tables_and_report(tmp_path, which, number):
    (tmp_path / "s.lua").write_text(TOLD)
    runs = tmp_path / "runs"
    process = program.start("sweep", "run", "-j", 3, tmp_path / "s.lua", runs, env={"LOCAL_RANK": "7"})
    wait_for(lambda: num_cells(runs) >= 4)
    # The first one draws the progress, so that the others are told to be quiet.
    first, *others = sorted(children_of(process.pid), key=lambda pid: b"--quiet" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes())
    # By it each takes a GPU of its own, where there are several.
    assert local_ranks(first) == ["0"] and sorted(map(local_ranks, others)) == [["1"], ["2"]]
    os.kill(first if which == "first" else others[-1], number)
    out, err = program.finish(process)
    counts = re.findall(r"^s: 40 cells, (\d+) measured, (\d+) by other processes meanwhile, (\d+) cached, 0 failed", out, re.MULTILINE)
    assert len(counts) == 1 and sum(map(int, counts[0])) == 40, out
    assert out.count("forty is the most") == 1 and out.count("the script saw 40 rows") == 1 and "best cell by score" in out
    assert "1 of 3 processes ended by a signal; the others went on with its cells" in err
    folder = folder_of(runs)
    assert f"report: {folder / 'report.html'}" in out
    with (folder / "results.csv").open(newline="") as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["ok"] * 40
    keys = json.loads(re.search(r'"status":(\[.*?\])', (folder / "report.html").read_text()).group(1))
    assert keys == [1] * 40
    assert not list((folder / "cells").glob("*.claim*"))


def test_when_all_are_killed_nothing_is_claimed_to_be_done(tmp_path):
    (tmp_path / "s.lua").write_text(TOLD)
    process = program.start("sweep", "run", "-j", 2, tmp_path / "s.lua", tmp_path / "runs")
    wait_for(lambda: num_cells(tmp_path / "runs") >= 2)
    for pid in children_of(process.pid):
        os.kill(pid, signal.SIGKILL)
    out, _ = program.finish(process, 128 + signal.SIGKILL)
    assert out == ""


def test_a_signal_to_the_whole_group_is_one_signal(script, tmp_path):
    runs = tmp_path / "runs"
    process = program.start("sweep", "run", "-j", 2, script, runs, 0.2, start_new_session=True)
    wait_for(lambda: num_cells(runs) >= 2)
    os.killpg(process.pid, signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 143
    with (folder_of(runs) / "results.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == num_cells(runs)


def test_all_options_of_the_program_are_passed_on(script, tmp_path):
    for i, options in enumerate(([], ["--no-cache"], ["--cache", tmp_path / "c", "--seed", 5])):
        runs = tmp_path / f"runs{i}"
        program.run(*options, "sweep", "run", "-j", 2, script, runs, 0)
        with (folder_of(runs) / "results.csv").open(newline="") as file:
            assert {row["cache"] for row in csv.DictReader(file)} == {"false" if "--no-cache" in options else "true"}
        sessions = [json.loads(p.read_text()) for p in (folder_of(runs) / "workers").glob("*.json")]
        assert {s["seed"] for s in sessions} == {5 if "--seed" in options else 0}


def test_the_earliest_kill_leaves_what_resume_and_status_need(script, tmp_path):
    runs = tmp_path / "runs"
    process = program.start(script, runs, 0, 60)
    wait_for(lambda: list(runs.glob("s/*/plan.json")))
    process.kill()
    process.wait()
    assert "100" in program.run("sweep", "status", runs / "s").stdout
    program.run("sweep", "show", runs / "s")
    assert program.run("sweep", "export", "csv", runs / "s").stdout.startswith("cell_key,a")
    resumed = program.start("sweep", "resume", runs / "s")
    wait_for(lambda: is_running(resumed.pid) and children_of(resumed.pid))
    resumed.send_signal(signal.SIGINT)
    assert resumed.wait(timeout=20) == 130


def test_resume_finds_a_folder_whose_name_is_not_utf8(tmp_path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)
    with open(folder + b"/s\xe8.lua", "w", encoding="utf-8") as file:
        file.write(SCRIPT)
    subprocess.run([program.PROGRAM, b"s\xe8.lua", "runs", "0"], cwd=folder, check=True, capture_output=True)
    (run,) = pathlib.Path(os.fsdecode(folder)).glob("runs/s/*")
    next((run / "cells").glob("*.json")).unlink()
    subprocess.run([program.PROGRAM, "sweep", "resume", bytes(run)], cwd="/", check=True, capture_output=True)
    assert len(list((run / "cells").glob("*.json"))) == 100


def test_a_heartbeat_of_the_future_is_looked_at(script, tmp_path):
    runs = tmp_path / "runs"
    program.run(script, runs, 0)
    folder = folder_of(runs)
    record = sorted((folder / "cells").glob("*.json"))[0]
    record.unlink()
    claim = json.dumps({"worker": "o", "host": "o", "machine": "x", "pid": 1, "start": "1"})
    record.with_suffix(".claim").write_text(claim)
    alive = folder / "workers/o.alive"
    alive.write_text(claim)
    os.utime(alive, (time.time() + 3600, time.time() + 3600))
    assert "false" in program.lua("print(im.run.workers(arg[1])[1].is_alive)", folder)
    done = program.run(script, runs, 0, timeout=40)
    assert "in the future" in done.stderr and record.exists()


AXES = """
local im = require "imatch"
im.sweep { name = "s", out = arg[1], axes = { a = im.range(%d, %d) }, quiet = true, measure = function(p) im.sleep(0.01) return { score = p.a } end }
"""


def test_two_sweeps_of_one_folder_leave_the_files_of_one(tmp_path):
    for turn in range(3):
        processes = []
        for name, low, high in (("one", 1, 12 + turn), ("two", 7, 30 + turn)):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "s.lua").write_text(AXES % (low, high))
            processes.append(program.start(tmp_path / name / "s.lua", tmp_path / "runs"))
        for process in processes:
            program.finish(process)
        folder = folder_of(tmp_path / "runs")
        tables = [re.findall(r"^[0-9a-f]{24}", (folder / name).read_text(), re.MULTILINE) for name in ("plan.csv", "results.csv")]
        axis = json.loads((folder / "plan.json").read_text())["axes"][0]["values"]
        report = (folder / "report.html").read_text()
        keys = set(json.loads(re.search(r'"keys":(\[.*?\])', report).group(1)))
        assert tables[0] == tables[1] and keys == set(tables[0]) and len(axis) == len(tables[0])
