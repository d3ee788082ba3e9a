# SPDX-License-Identifier: Apache-2.0
"""`imatch-lua sweep`: what it prints, its exit status, what a run folder and its script make of it; intervals against SciPy."""

import re
import signal
import subprocess
import time

import numpy
import pytest
import scipy.stats

from files import read_csv, read_json, read_json_lines
from program import PROGRAM, UNNOTED, run

SCRIPT = UNNOTED + """\
im.sweep {
  name = "command", out = "runs", report = false,
  axes = { th = { 0.1, 0.3, 0.5 }, place = im.range(1, tonumber(arg[1] or "8")), backbone = { "sift", "net" } },
  best = { metric = "score", direction = "max", over = { "place" }, units = { "place" } },
  measure = function(p)
    if p.place == 3 and p.th == 0.5 and not unnoted "HEAL" then
      print "about to fail"
      error "broken"
    end
    return { score = p.th * p.place + math.random() + tonumber(unnoted "DRIFT" or "0"), cost_px = p.th, elapsed_ms = im.now() }
  end,
}
"""


def sweep(folder, *words, status=0, **environment):
    done = run("sweep", *words, cwd=folder, status=status, env=environment)
    return done.stdout + (done.stderr if status else "")


def rows(folder):
    (path,) = (folder / "runs/command").iterdir()
    return read_csv(path / "results.csv")


@pytest.fixture
def script(tmp_path):
    (tmp_path / "a b.lua").write_text(SCRIPT)  # a name that a shell would split
    return tmp_path


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("command")
    (folder / "s.lua").write_text(SCRIPT)
    sweep(folder, "run", "s.lua")
    return folder


def test_plan_counts_and_estimates_without_measuring(script):
    text = sweep(script, "plan", "--list", 2, "a b.lua")
    assert "command: 48 cells, 0 cached, 48 to measure" in text and "estimate: none" in text
    assert len(re.findall(r"^  [0-9a-f]{24}  backbone=sift place=1 th=", text, re.M)) == 2
    assert not (script / "runs").exists()
    sweep(script, "run", "a b.lua", "4")
    text = sweep(script, "plan", "-j", 2, "a b.lua")
    assert "48 cells, 24 cached, 24 to measure, 2 of the cached ones failed" in text
    assert re.search(r"estimate: [\d.]+ s in 2 processes, by its finished cells", text)


def test_processes_share_a_run_and_a_folder_knows_its_script(script):
    out = sweep(script, "run", "-j", 3, "a b.lua", "4")
    assert out.count("command: 24 cells") == 1  # the others are quiet
    assert sum(row["status"] == "failed" for row in rows(script)) == 2
    sweep(script, "resume", "runs/command")
    out = sweep(script, "retry", "--failed", "runs/command", HEAL="1")
    assert "24 cells, 2 measured, 22 cached, 0 failed" in out
    assert len(rows(script)) == 24 and all(row["status"] == "ok" for row in rows(script))


def test_every_process_gets_the_options_of_the_program(tmp_path):
    (tmp_path / "options.lua").write_text("""
      local im = require "imatch"
      im.sweep { name = "command", out = "runs", report = false, axes = { i = im.range(1, 24) }, measure = function()
        im.sleep(0.05)
        local s = im.settings()
        return { cache = s.cache, seed = s.seed, threads = s.threads, device = s.device }
      end }
    """)
    done = run("--no-cache", "--seed=7", "--device", "cpu", "sweep", "run", "-j", 3, "options.lua", cwd=tmp_path)
    assert done.stdout.count("24 cells") == 1
    assert {(row["cache"], row["seed"], row["device"]) for row in rows(tmp_path)} == {("false", "7", "cpu")}
    (path,) = (tmp_path / "runs/command").iterdir()
    sessions = [read_json(file) for file in path.glob("workers/*.json")]
    assert len(sessions) > 1 and all("--no-cache" in session["command_line"] for session in sessions)


def test_max_failures_from_the_command_line(script):
    out = sweep(script, "run", "--max-failures", 0, "a b.lua", status=1)
    assert "max_failures = 0" in out
    assert sum(row["status"] == "failed" for row in rows(script)) == 1


def test_failures_keep_parameters_traceback_and_log(measured):
    text = sweep(measured, "show", "--failed", "runs/command")
    assert text.count("it wrote:\n    about to fail") == 2
    assert "place=3 th=0.5" in text and "s.lua:16: broken" in text and "stack traceback" in text


def test_show_sorts_filters_and_sums_up(measured):
    table = [row for row in rows(measured) if row["status"] == "ok"]
    text = sweep(measured, "show", "runs/command", "--sort", "score", "--top", 3, "--columns", "place,th,score")
    best = sorted((float(row["score"]) for row in table), reverse=True)[:3]
    shown = [float(line.split()[-1]) for line in text.splitlines()[1:4]]
    assert shown == pytest.approx(best, rel=1e-3)
    text = sweep(measured, "show", "runs/command", "--where", "th < 0.2 and backbone == 'sift'", "--top", 100)
    assert len(text.splitlines()) == 1 + 8
    text = sweep(measured, "show", "runs/command", "--pareto", "score:max,cost_px", "--over", "place")
    costs = [float(line.split()[-2]) for line in text.splitlines()[1:]]
    assert len(costs) >= 2 and sorted(costs, reverse=True) == costs
    assert "did you mean 'score'" in sweep(measured, "show", "runs/command", "--sort", "scroe", status=1)


def test_the_bootstrap_interval_agrees_with_scipy(measured):
    text = sweep(measured, "show", "runs/command", "--sort", "score", "--by", "th", "--units", "place")
    for line in text.splitlines()[1:]:
        threshold, mean, std, low, high = map(float, re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", line)[:5])
        table = [r for r in rows(measured) if r["status"] == "ok" and float(r["th"]) == threshold]
        values = [float(r["score"]) for r in table]
        assert mean == pytest.approx(numpy.mean(values), rel=1e-3) and std == pytest.approx(numpy.std(values, ddof=1), rel=1e-3)
        places = sorted({r["place"] for r in table})
        of_place = numpy.array([[float(r["score"]) for r in table if r["place"] == place] for place in places]).mean(axis=1)
        peer = scipy.stats.bootstrap((of_place,), numpy.mean, n_resamples=20000, method="percentile", rng=1).confidence_interval
        assert low == pytest.approx(peer.low, abs=0.1 * (peer.high - peer.low))
        assert high == pytest.approx(peer.high, abs=0.1 * (peer.high - peer.low))


def test_any_statistic_with_its_own_interval(measured):
    values = {}
    for r in rows(measured):
        # A cell that failed is worse than all others.
        values.setdefault(float(r["th"]), []).append(float(r["score"]) if r["status"] == "ok" else -numpy.inf)
    text = sweep(measured, "show", "runs/command", "--sort", "score", "--by", "th", "--statistic", "quantile@0.25")
    for line in text.splitlines()[1:]:
        threshold, value, low, high = map(float, re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", line)[:4])
        assert value == pytest.approx(numpy.quantile(values[threshold], 0.25), rel=1e-3)
        assert "[" not in line or low <= value <= high  # no interval where it would reach down to the failed cells
    text = sweep(measured, "best", "runs/command", "--metric", "score", "--direction", "max", "--statistic", "median", "--over", "place,backbone")
    assert "best setting over place, backbone: th=" in text and "median score: " in text
    assert "expected 'mean'" in sweep(measured, "best", "runs/command", "--metric", "score", "--statistic", "mode", status=1)


def test_verify_finds_what_cannot_be_repeated(measured):
    assert "6 of 46 finished cells measured again, 0 differ" in sweep(measured, "verify", "-n", 6, "s.lua")
    assert "0 differ" in sweep(measured, "verify", "runs/command")
    text = sweep(measured, "verify", "-n", 4, "s.lua", status=1, DRIFT="1e-15")
    assert "4 differ" in text and text.count("score: kept") == 4 and "elapsed_ms" not in text
    assert "0 differ" in sweep(measured, "verify", "--except", "score", "s.lua", DRIFT="1e-15")


def test_diff_of_two_runs(measured, tmp_path):
    sweep(tmp_path, "diff", measured / "runs/command", measured / "runs/command")
    (tmp_path / "s.lua").write_text(SCRIPT.replace("p.th * p.place", "p.th * p.place + 0.25").replace("{ 0.1, 0.3, 0.5 }", "{ 0.3, 0.5, 0.7 }"))
    sweep(tmp_path, "run", "s.lua")
    text = sweep(tmp_path, "diff", measured / "runs/command", "runs/command", "--metric", "score", status=1)
    assert "32 cells in both, 16 only in A, 16 only in B" in text
    assert re.search(r"score +\S+ +\S+ +0.25 \+- ", text) and "largest changes in score" in text


def test_export_and_status(measured):
    (path,) = (measured / "runs/command").iterdir()
    assert sweep(measured, "export", "csv", "runs/command") == (path / "results.csv").read_text()
    sweep(measured, "export", "jsonl", "runs", "-o", "out.jsonl")
    assert len(read_json_lines(measured / "out.jsonl")) == 48
    assert "48 cells: 46 ok, 2 failed, 0 pending" in sweep(measured, "status", "runs/command")


def test_wrong_usage(measured, tmp_path):
    assert "no such script or run folder" in sweep(tmp_path, "run", "none.lua", status=2)
    assert "no run folder" in sweep(tmp_path, "show", ".", status=1)
    assert "expected an integer >= 1" in sweep(tmp_path, "plan", "-j", "0", "x.lua", status=2)


def test_last_words_come_whole_and_in_order_where_their_reader_is_slow(tmp_path):
    (tmp_path / "last.lua").write_text("""
      local im, ffi = require "imatch", require "ffi"
      ffi.cdef "int raise(int); long write(int, const char *, size_t);"
      im.sweep { name = "last", out = "runs", report = false, axes = { a = { 1 } }, measure = function()
        for i = 1, 200 do
          local line = ("%d %s\\n"):format(i, ("word "):rep(180))
          ffi.C.write(2, line, #line)
        end
        ffi.C.raise(11)
      end }
    """)
    process = subprocess.Popen([PROGRAM, "--quiet", "last.lua"], cwd=tmp_path, bufsize=0, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)
    first = process.stderr.read(1)
    time.sleep(0.3)  # more has been written meanwhile than pipes hold
    text = (first + process.communicate(timeout=60)[1]).decode()
    assert [line.split()[0] for line in text.splitlines() if "word" in line] == [str(i) for i in range(1, 201)]
    assert process.returncode == -signal.SIGSEGV


@pytest.mark.parametrize("ending, status", [("ffi.C.abort()", -6), ("ffi.C.raise(11)", -11), ("os.exit(3)", 0)])  # an exit is an error of the cell
def test_last_words_of_a_process_that_ends_inside_of_a_cell_are_heard(tmp_path, ending, status):
    (tmp_path / "last.lua").write_text(f"""
      local im, ffi = require "imatch", require "ffi"
      ffi.cdef "void abort(void); int raise(int); long write(int, const char *, size_t);"
      im.sweep {{ name = "last", out = "runs", report = false, axes = {{ a = {{ 1 }} }}, measure = function()
        ffi.C.write(2, "last words\\n", 11)
        {ending}
      end }}
    """)
    done = run("--quiet", "last.lua", cwd=tmp_path, status=status)
    assert done.stderr.count("last words") == 1
