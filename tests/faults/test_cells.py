# SPDX-License-Identifier: Apache-2.0
"""Cells that end their process, fill its memory or write while they do: the others are measured, and all is told."""

import csv
import json
import resource
import signal
import subprocess
import time

import pytest

import program

SCRIPT = """
local im = require "imatch"
local ffi = require "ffi"
ffi.cdef "void abort(void); void exit(int); void _exit(int); int raise(int);"
local bad = {
  exit = function() os.exit(0) end,
  segv = function() ffi.cast("int*", 0)[0] = 1 end,
  abort = function() ffi.C.abort() end,
  c_exit = function() ffi.C.exit(0) end,
  silent = function() ffi.C._exit(0) end,
  killed = function() ffi.C.raise(9) end,
  heap = function() local t = {} for i = 1, 1e9 do t[i] = ("x"):rep(1e5) .. i end end,
}
local result = im.sweep { name = "s", out = arg[2], axes = { a = im.range(1, 5) }, quiet = true, report = false,
  measure = function(p)
    print("cell " .. p.a)
    if p.a == 3 then bad[arg[1]]() end
    return { score = p.a }
  end }
print(("ok %d failed %d"):format(#result.rows - result.num_failed, result.num_failed))
"""


@pytest.fixture
def script(tmp_path):
    (tmp_path / "s.lua").write_text(SCRIPT)
    return tmp_path / "s.lua"


def rows(tmp_path):
    (folder,) = (tmp_path / "runs/s").iterdir()
    with (folder / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file)), folder


def test_exit_is_an_error_of_the_cell(script, tmp_path):
    out = program.run(script, "exit", tmp_path / "runs").stdout
    assert "ok 4 failed 1" in out
    table, _ = rows(tmp_path)
    assert len(table) == 5 and "os.exit" in table[2]["error"]


@pytest.mark.parametrize("kind, said", [("segv", "SIGSEGV"), ("abort", "SIGABRT"), ("c_exit", "(exit)")])
def test_a_cell_that_ends_its_process_fails_and_the_next_run_goes_on(script, tmp_path, kind, said):
    first = program.run(script, kind, tmp_path / "runs", status=None)
    assert first.stdout.endswith("cell 3\n") and "ok" not in first.stdout  # seen, though the process is gone
    second = program.run(script, kind, tmp_path / "runs")
    assert "ok 4 failed 1" in second.stdout and "cell 3" not in second.stdout
    table, folder = rows(tmp_path)
    assert len(table) == 5 and table[2]["status"] == "failed" and said in table[2]["error"]
    record = json.loads((folder / "cells" / (table[2]["cell_key"] + ".json")).read_text())
    assert record["error"]["log"].endswith("cell 3\n") and (folder / "workers" / (record["worker"] + ".json")).exists()
    assert not [p.name for p in (folder / "cells").iterdir() if p.suffix != ".json"]
    third = program.run(script, kind, tmp_path / "runs")  # skipped from now on
    assert "cell" not in third.stdout
    for _ in range(2):
        assert program.run("sweep", "retry", script, kind, tmp_path / "runs", status=None).stdout.endswith("cell 3\n")


@pytest.mark.parametrize("kind", ["silent", "killed"])
def test_a_cell_that_is_killed_again_and_again_fails_in_the_end(script, tmp_path, kind):
    for _ in range(3):
        assert "failed" not in program.run(script, kind, tmp_path / "runs", status=None).stdout
    assert "ok 4 failed 1" in program.run(script, kind, tmp_path / "runs").stdout
    assert "3 processes ended" in rows(tmp_path)[0][2]["error"]


def test_a_full_heap_is_an_error_of_the_cell(script, tmp_path):
    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    assert "ok 4 failed 1" in program.run(script, "heap", tmp_path / "runs", preexec_fn=limited).stdout
    assert "memory" in rows(tmp_path)[0][2]["error"]


def test_several_processes_go_on_without_the_one_that_crashed(script, tmp_path):
    program.run("sweep", "run", "-j", 2, script, "segv", tmp_path / "runs", status=None)
    table, _ = rows(tmp_path)
    assert len(table) == 5 and [r["status"] for r in table] == ["ok", "ok", "failed", "ok", "ok"]


def test_what_a_cell_writes_is_seen_at_once(tmp_path):
    (tmp_path / "s.lua").write_text("""
        local im = require "imatch"
        im.sweep { name = "s", out = arg[1], axes = { a = { 1 } }, quiet = true, report = false,
          measure = function() print "a line" im.sleep(60) return { s = 1 } end }""")
    with program.start(tmp_path / "s.lua", tmp_path / "runs") as process:
        began = time.monotonic()
        assert process.stdout.readline() == "a line\n" and time.monotonic() - began < 40
        process.kill()


def test_a_command_in_a_cell_passes_signals_on(tmp_path):
    (tmp_path / "s.lua").write_text("""
        local im = require "imatch"
        im.sweep { name = "s", out = arg[1], axes = { a = { 1, 2 } }, quiet = true, report = false,
          measure = function() os.execute "echo started; exec sleep 98.7" return { s = 1 } end }""")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with program.start(tmp_path / "s.lua", tmp_path / "runs") as process:
            assert process.stdout.readline() == "started\n"
            process.send_signal(number)
            began = time.monotonic()
            assert process.wait(timeout=20) == 128 + number and time.monotonic() - began < 5
        assert subprocess.run(["pgrep", "-f", "^sleep 98.7"], check=False, capture_output=True).returncode == 1


@pytest.mark.parametrize("status, code", [(0, "true"), (3, "exit 3"), (-9, "kill -9 $$")])
def test_commands_give_their_status(status, code):
    raw = 256 * status if status >= 0 else -status
    assert int(program.lua("print(os.execute(arg[1]))", code)) == raw


def test_a_table_that_looks_like_a_number_is_the_same_after_a_resume(tmp_path):
    (tmp_path / "s.lua").write_text("""
        local im = require "imatch"
        local r = im.sweep { name = "s", out = arg[1], axes = { a = { 1, 2 } }, quiet = true, report = false,
          measure = function(p)
            return { s = { number = "inf" }, t = { number = { literal = 1 / 0 } }, u = { { number = 0 / 0 } }, v = -1 / 0,
              number = p.a }
          end }
        print(im.io.json(r.rows[1].s), im.io.json(r.rows[1].t), r.rows[1].v, r.rows[2].number)""")
    first = program.run(tmp_path / "s.lua", tmp_path / "runs").stdout
    table = rows(tmp_path)[1].joinpath("results.csv").read_text()
    assert program.run(tmp_path / "s.lua", tmp_path / "runs").stdout == first and '"inf"' in first.replace("\\", "")
    assert rows(tmp_path)[1].joinpath("results.csv").read_text() == table
