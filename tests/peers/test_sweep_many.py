# SPDX-License-Identifier: Apache-2.0
"""Sweeps at their limits: killed again and again with several workers, 100,000 cells, memory, Slurm."""

import random
import signal
import subprocess
import time

import pytest

import program
import slurm
from files import read_csv
from program import PROGRAM, UNNOTED, finish, run_with_usage

CELLS = UNNOTED + """\
im.sweep {
  name = "cells", out = "runs", report = false,
  axes = { i = im.range(1, tonumber(arg[1])), th = { 0.1, 0.2, 0.4, 0.8 } },
  best = { metric = "score", direction = "max", over = { "i" } },
  measure = function(p, cell)
    im.sleep(tonumber(unnoted "SLEEP_S" or 0))
    if p.i % 50 == 7 then error("cell " .. p.i .. " is broken") end
    return { score = math.sin(p.i) * p.th, draw = math.random(), seed = cell.seed, worker_ms = im.now() }
  end,
}
"""


def start(folder, n, sleep_s=0, quiet=True, **environment):
    (folder / "cells.lua").write_text(CELLS)
    return program.start(*(["--quiet"] if quiet else []), "sweep", "run", "cells.lua", n, cwd=folder,
                         env={"SLEEP_S": str(sleep_s), **environment})


def results(folder):
    (path,) = (folder / "runs/cells").iterdir()
    return [{name: value for name, value in row.items() if not name.endswith("_ms")} for row in read_csv(path / "results.csv")]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    finish(start(folder, 500))
    return results(folder)


def test_2000_cells_killed_ten_times_with_one_to_four_workers(tmp_path, undisturbed):
    assert len(undisturbed) == 2000
    moments = random.Random(5)
    num_finished = [0]
    for kill in range(10):
        workers = [start(tmp_path, 500, 0.002) for _ in range(1 + kill % 4)]
        # Late enough that something happens: cells are being written when the signal comes.
        deadline = time.monotonic() + 60
        while len(list(tmp_path.glob("runs/cells/*/cells/*.json"))) <= num_finished[-1] + 10 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.15))
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.communicate()
        num_finished.append(len(list(tmp_path.glob("runs/cells/*/cells/*.json"))))
    assert 0 < num_finished[1] and num_finished[-1] < 2000, num_finished  # each kill hit a run at work
    workers = [start(tmp_path, 500) for _ in range(4)]
    for worker in workers:
        finish(worker)
    assert results(tmp_path) == undisturbed
    (path,) = (tmp_path / "runs/cells").iterdir()
    assert not list(path.glob("cells/*.claim*")) and not list(path.glob("workers/*.alive"))


def test_another_value_of_an_axis_runs_the_new_cells_only(tmp_path):
    out, _ = finish(start(tmp_path, 20, quiet=False))
    assert "80 cells, 80 measured, 0 cached" in out
    (tmp_path / "cells.lua").write_text(CELLS.replace("0.8 }", "0.8, 1.6 }"))
    out = program.run("cells.lua", 20, cwd=tmp_path).stdout
    assert "100 cells, 20 measured, 80 cached" in out


def test_a_worker_that_was_killed_leaves_its_cell_to_the_others_at_once(tmp_path):
    first = start(tmp_path, 1, 30)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("runs/cells/*/cells/*.claim")) and time.monotonic() < deadline:
        time.sleep(0.02)
    (claim,) = tmp_path.glob("runs/cells/*/cells/*.claim")
    first.send_signal(signal.SIGKILL)
    first.communicate()
    begin = time.monotonic()
    finish(start(tmp_path, 1))
    assert time.monotonic() - begin < 20 and not claim.exists()
    assert len(results(tmp_path)) == 4


@pytest.mark.parametrize("name", ["SLURM_PROCID", "RANK"])
def test_only_rank_0_draws_progress(tmp_path, name):
    _, err = finish(start(tmp_path, 5, quiet=False, **{name: "1"}))
    assert err == ""
    (tmp_path / "cells.lua").write_text(CELLS)
    _, err = finish(start(tmp_path, 6, 0.4, quiet=False, **{name: "0"}))
    assert "24 of 24 cells" in err


def test_100000_cached_cells(tmp_path):
    (tmp_path / "many.lua").write_text("""
      local im = require "imatch"
      im.sweep { name = "many", out = "runs", axes = { i = im.range(1, 25000), th = { 1, 2 }, place = { 1, 2 } },
        best = { metric = "a", over = { "place" }, units = { "place" } },
        measure = function(p) return { a = p.i / p.th, b = math.random(), even = p.i % 2 == 0 } end }
    """)
    _, first_s, _ = run_with_usage("--quiet", "many.lua", cwd=tmp_path)
    (report,) = tmp_path.glob("runs/many/*/report.html")
    report.unlink()  # so that it is written again
    out, seconds, peak_mb = run_with_usage("--quiet", "many.lua", cwd=tmp_path)
    assert "0 measured, 100000 cached" in out and report.exists()
    print(f"100,000 cells: {first_s / 100:.3f} ms each; cached: {seconds:.2f} s of processor time, {peak_mb:.0f} MB")
    assert seconds < 10 and peak_mb < 1024
    plan, plan_s, _ = run_with_usage("sweep", "plan", "many.lua", cwd=tmp_path)
    assert "100000 cells, 100000 cached, 0 to measure" in plan and plan_s < 10


def test_memory_stays_flat_over_10000_cells_of_10_mb(tmp_path):
    (tmp_path / "memory.lua").write_text("""
      local im = require "imatch"
      local function resident_mb()
        for line in io.lines "/proc/self/status" do
          local kb = line:match "^VmRSS:%s*(%d+)"
          if kb then return tonumber(kb) / 1024 end
        end
      end
      local result = im.sweep { name = "memory", out = "runs", quiet = true, report = false, axes = { i = im.range(1, 10000) },
        setup = function() return im.image.new(920, 920) end,
        measure = function(_, _, image)
          local tensor = im.image.normalize(image) -- 3 x 920 x 920 float32: 10 MB, left to the collector
          return { mb = resident_mb(), numel = tensor:numel() }
        end }
      local rows = result.rows
      local function mean(from, to)
        local sum = 0
        for i = from, to do sum = sum + rows[i].mb end
        return sum / (to - from + 1)
      end
      print(mean(501, 1500), mean(9001, 10000))
    """)
    out, _, peak_mb = run_with_usage("--quiet", "memory.lua", cwd=tmp_path)
    early, late = map(float, out.split())
    print(f"resident size: {early:.0f} MB in cells 500 to 1,500, {late:.0f} MB in the last 1,000; peak {peak_mb:.0f} MB")
    assert late < early + 64


@pytest.fixture
def cluster(tmp_path_factory):
    if slurm.why_not():
        pytest.skip(slurm.why_not())
    try:
        with slurm.Cluster(tmp_path_factory.mktemp("slurm") / "cluster") as running:
            yield running
    except RuntimeError as error:
        pytest.skip(f"Slurm does not start here: {error}")


def test_two_slurm_nodes_and_one_of_them_dies(tmp_path, cluster, undisturbed):
    (tmp_path / "cells.lua").write_text(CELLS)
    command = ["srun", "-N2", "-n4", "--ntasks-per-node=2", "--no-kill", "--kill-on-bad-exit=0", PROGRAM, "cells.lua", "500"]
    job = subprocess.Popen(command, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           env=dict(cluster.environment, SLEEP_S="0.01"))
    deadline = time.monotonic() + 120
    while len(list(tmp_path.glob("runs/cells/*/cells/*.json"))) < 300 and time.monotonic() < deadline:
        time.sleep(0.05)
    (path,) = (tmp_path / "runs/cells").iterdir()
    assert len(list(path.glob("workers/*.alive"))) == 4
    assert cluster.kill_node("n2") >= 3  # its daemon and two workers
    try:
        _, err = job.communicate(timeout=120)
        assert "cells: " in err  # rank 0 draws
    except subprocess.TimeoutExpired:  # Slurm itself waits for the node; the other node's workers are what counts
        job.kill()
        job.communicate()
    finish(start(tmp_path, 500))
    assert results(tmp_path) == undisturbed
