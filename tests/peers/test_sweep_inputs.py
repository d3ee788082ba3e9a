# SPDX-License-Identifier: Apache-2.0
"""When cells are measured again: after any change of what a script has read, and never after another value on an axis."""

import re
import signal
import time

import pytest

import program
from files import read_json

SCRIPT = """
local im = require "imatch"
local outer = require "outer"
local extra = dofile "extra.lua"
local chunk = loadfile "chunk.lua"
local table_of = im.io.read_json "table.json"
local text = io.open("notes.txt"):read "*a"
local from_lines = 0
for line in io.lines "lines.txt" do from_lines = from_lines + tonumber(line) end
local shift = tonumber(os.getenv "SHIFT" or 0)
local scale = tonumber((...) or 1)
K = 2
local up = { value = 1 }
im.sweep {
  name = "stale", out = "runs", report = false,
  axes = { a = { 1, 2 } },
  measure = function(p)
    return { y = p.a * K + up.value + outer.of(p.a) + extra + chunk() + table_of.v + #text + from_lines + shift + 100 * scale }
  end,
}
"""
FILES = {
    "s.lua": SCRIPT,
    "outer.lua": 'local inner = require "inner"\nreturn { of = function(a) return inner.value * a end }\n',
    "inner.lua": "return { value = 10 }\n",
    "extra.lua": "return 1000\n",
    "chunk.lua": "return 20000\n",
    "table.json": '{"v": 300000}',
    "notes.txt": "12345",
    "lines.txt": "1\n2\n",
}


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def run(folder, *words, **environment):
    done = program.run("s.lua", *words, cwd=folder, env=environment)
    num_run, num_cached = map(int, re.search(r"(\d+) measured, (\d+) cached", done.stdout).groups())
    return num_run, num_cached, done.stderr


def edit(folder, name, before, after):
    text = (folder / name).read_text()
    assert before in text
    (folder / name).write_text(text.replace(before, after))


@pytest.mark.parametrize("name, before, after, told", [
    ("s.lua", "K = 2", "K = 3", "s.lua changed"),
    ("s.lua", "value = 1 }", "value = 2 }", "s.lua changed"),
    ("s.lua", "local up", "-- a comment\nlocal up", "s.lua changed"),
    ("s.lua", "p.a * K", "K * p.a", "s.lua changed"),
    ("outer.lua", "* a", "+ a", "outer.lua changed"),
    ("inner.lua", "10", "11", "inner.lua changed"),
    ("extra.lua", "1000", "1001", "extra.lua changed"),
    ("chunk.lua", "20000", "20001", "chunk.lua changed"),
    ("table.json", "300000", "300001", "table.json changed"),
    ("notes.txt", "12345", "123456", "notes.txt changed"),
    ("lines.txt", "2", "3", "lines.txt changed"),
])
def test_whatever_a_script_has_read_is_never_stale(folder, name, before, after, told):
    assert run(folder)[:2] == (2, 0)
    assert run(folder) == (0, 2, "")
    edit(folder, name, before, after)
    num_run, num_cached, said = run(folder)
    assert (num_run, num_cached) == (2, 0)
    assert said.startswith("stale: every cell is measured anew since runs/stale/") and told in said and said.count("changed") == 1
    edit(folder, name, after, before)
    assert run(folder)[:2] == (0, 2)  # the folder of then is still there


def test_arguments_and_environment_count(folder):
    assert run(folder, "1")[:2] == (2, 0)
    num_run, _, said = run(folder, "2")
    assert num_run == 2 and "argument 1 changed" in said
    assert run(folder, "1")[:2] == (0, 2)
    num_run, _, said = run(folder, "1", SHIFT="5")
    assert num_run == 2 and "environment variable SHIFT changed" in said
    assert run(folder, "1", UNRELATED="5")[:2] == (0, 2)
    num_run, _, said = run(folder, "1", WEIGHTS_ROOT="/elsewhere")
    assert num_run == 2 and "WEIGHTS_ROOT changed" in said


def test_a_file_that_appears_later_counts(folder):
    edit(folder, "s.lua", "K = 2", 'local f = io.open "maybe.txt"; K = f and tonumber(f:read "*a") or 2')
    assert run(folder)[:2] == (2, 0)
    (folder / "maybe.txt").write_text("7")
    num_run, _, said = run(folder)
    assert num_run == 2 and "maybe.txt" in said


def test_other_values_of_axes_and_other_views_of_results_run_the_new_cells_only(folder):
    assert run(folder)[:2] == (2, 0)
    edit(folder, "s.lua", "axes = { a = { 1, 2 } },", "axes = { a = { 3, 2, 1 } }, best = { metric = 'y' },")
    assert run(folder)[:2] == (3, 0)  # one more option is another text, once
    edit(folder, "s.lua", "{ 3, 2, 1 }", "im.range(1, 5)")
    assert run(folder) == (2, 3, "")
    edit(folder, "s.lua", "metric = 'y'", "metric = 'y', direction = 'max'")
    assert run(folder) == (0, 5, "")


def test_arguments_that_only_the_axes_see_do_not_count(tmp_path):
    (tmp_path / "s.lua").write_text("""
      local im = require "imatch"
      im.sweep { name = "axes", out = "runs", report = false, axes = { a = im.range(1, tonumber(arg[1])) },
        measure = function(p) return { v = p.a } end }
    """)
    assert run(tmp_path, "3")[:2] == (3, 0)
    assert run(tmp_path, "5")[:2] == (2, 3)


def test_code_without_a_file_counts_by_its_text(tmp_path):
    code = 'im = require "imatch"; K = %d; im.sweep { name = "inline", out = "runs", report = false, axes = { a = { 1 } }, ' \
           "measure = function(p) return { y = K * p.a } end }"

    def measured(k):
        done = program.run("-e", code % k, cwd=tmp_path)
        piped = program.run("-", input=code % k, cwd=tmp_path)
        return done.stdout.count("1 measured"), piped.stdout.count("1 measured")

    assert measured(2) == (1, 1)
    assert measured(2) == (0, 0)
    assert measured(3) == (1, 1)


def test_a_plan_says_why(folder):
    run(folder)
    edit(folder, "inner.lua", "10", "11")
    done = program.run("sweep", "plan", "s.lua", cwd=folder)
    assert "inner.lua changed" in done.stderr and "2 to measure" in done.stdout


def test_what_setup_and_measure_read_counts_for_the_cells_of_who_has_read_it(tmp_path):
    (tmp_path / "s.lua").write_text("""
      local im = require "imatch"
      im.sweep { name = "late", out = "runs", report = false, axes = { a = { 1, 2 } },
        setup = function() return im.io.read_json "config.json" end,
        measure = function(p, cell, config)
          local own = ("own.%d"):format(p.a)
          local file = io.open(own, "w"); file:write "work"; file:close()
          local read_back = #io.open(own):read "*a"
          os.remove(own)
          local later = require "later"
          return { v = config.k * p.a + tonumber(os.getenv "SHIFT" or 0) + later + read_back }
        end }
    """)
    (tmp_path / "config.json").write_text('{"k": 2}')
    (tmp_path / "later.lua").write_text("return 100")
    time.sleep(0.1)
    assert run(tmp_path)[:2] == (2, 0)
    assert run(tmp_path) == (0, 2, "")
    (tmp_path / "config.json").write_text('{"k": 3}')
    num_run, num_cached, said = run(tmp_path)
    assert (num_run, num_cached) == (2, 0) and said == "late: 2 cells are measured anew: config.json changed\n"
    assert run(tmp_path) == (0, 2, "")
    (tmp_path / "later.lua").write_text("return 200")
    num_run, _, said = run(tmp_path)
    assert num_run == 2 and "later.lua changed" in said
    num_run, _, said = run(tmp_path, SHIFT="7")
    assert num_run == 2 and "environment variable SHIFT changed" in said
    (path,) = (tmp_path / "runs/late").iterdir()
    values = sorted(float(line.split(",")[2]) for line in (path / "results.csv").read_text().splitlines()[1:])
    assert values == [3 + 7 + 200 + 4, 6 + 7 + 200 + 4]
    assert run(tmp_path, SHIFT="7") == (0, 2, "")


TRAINING = program.UNNOTED + """\
im.sweep {
  name = "training", out = "runs",
  axes = { rate = { 0.1, 0.2 } },
  measure = function(p, cell)
    local path, first = cell:checkpoint_dir() .. "/state.json", 1
    local state = im.io.read_json(path)
    if state then first = state.step + 1 else state = { weight = 1 } end
    for step = first, 40 do
      state.step, state.weight = step, state.weight * (1 - p.rate)
      assert(im.io.write_json(path, state))
      cell:progress { done = step, total = 40, loss = state.weight, images_per_s = 210 }
      im.sleep(tonumber(unnoted "STEP_S"))
    end
    return { weight = state.weight, first = first }
  end,
}
"""


def test_a_training_that_is_killed_goes_on_from_its_checkpoint(tmp_path):
    (tmp_path / "train.lua").write_text(TRAINING)
    process = program.start("train.lua", cwd=tmp_path, env={"STEP_S": "0.1"})
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        states = list(tmp_path.glob("runs/training/*/checkpoints/*/state.json"))
        if states and '"step":12' in states[0].read_text().replace(" ", ""):
            break
        time.sleep(0.02)

    def status():
        return program.run("sweep", "status", "runs", cwd=tmp_path).stdout

    alive = status()
    process.send_signal(signal.SIGKILL)
    _, progress = process.communicate()
    (state,) = tmp_path.glob("runs/training/*/checkpoints/*/state.json")
    last = read_json(state)["step"]
    line = re.compile(r"rate=0.1: (\d+) of 40 steps \(\d+%\), (?:210 images/s, loss 0\.\d+|loss 0\.\d+, 210 images/s), .* ago, (.*)")
    step, who = line.search(alive).groups()
    assert 1 <= int(step) <= last < 40 and who.startswith("by ")
    assert line.search(status()).group(2) == "interrupted"
    assert re.search(r"training: 0 of 2 cells \(\d+%\).*loss 0\.", progress)

    program.run("train.lua", cwd=tmp_path, env={"STEP_S": "0"})
    (path,) = (tmp_path / "runs/training").iterdir()
    rows = [line.split(",") for line in (path / "results.csv").read_text().splitlines()]
    table = {float(row[1]): dict(zip(rows[0], row)) for row in rows[1:]}
    assert int(table[0.1]["first"]) == last + 1 and table[0.2]["first"] == "1"
    for rate, row in table.items():
        weight = 1.0
        for _ in range(40):
            weight *= 1 - rate
        assert float(row["weight"]) == pytest.approx(weight, rel=1e-12)
    assert not list(path.glob("checkpoints/*")) and not list(path.glob("cells/*.progress"))
    assert '"images_per_s":210' in (path / "report.html").read_text()
    verified = program.run("sweep", "verify", "-n", 1, "--except", "first", "train.lua", cwd=tmp_path, env={"STEP_S": "0"})
    assert "0 differ" in verified.stdout, verified.stdout + verified.stderr
