# SPDX-License-Identifier: Apache-2.0
"""Wide and long input takes time linear in its size, and Ctrl-C and SIGTERM are answered whatever is at work."""

import json
import signal
import struct
import time

import pytest

from program import lua, run, start

MOST_S = 5.0  # from the signal to the end of the process, on a machine with nothing else to do


def busy():
    """How much slower than an idle machine this one is: a fixed piece of work, by the clock and by the processor."""
    began, used = time.monotonic(), time.process_time()
    sum(i * i for i in range(2_000_000))
    return max(1.0, (time.monotonic() - began) / max(1e-6, time.process_time() - used))


def seconds(code, *arguments, **options):
    """Processor seconds that the code takes inside of the program."""
    return float(lua(f"local c = os.clock() {code} print(os.clock() - c)", *arguments, **options).splitlines()[-1])


def test_json_of_many_keys(tmp_path):
    times = []
    for count in (50_000, 200_000):
        (tmp_path / "many.json").write_text(json.dumps({f"k{i}": i for i in range(count)}))
        times.append(seconds("assert(im.io.read_json(arg[1]).k77 == 77)", tmp_path / "many.json"))
    assert times[1] < 3 and times[1] < 12 * times[0] + 0.2, times


def test_of_a_key_given_twice_the_last_value_counts(tmp_path):
    for count in (3, 50):
        keys = [f'"k{i}": {i}' for i in range(count)] + ['"k1": "last"']
        (tmp_path / "twice.json").write_text("{" + ", ".join(keys) + "}")
        assert lua("print(im.io.read_json(arg[1]).k1)", tmp_path / "twice.json") == "last\n"


def test_safetensors_of_many_tensors(tmp_path):
    count = 80_000
    head = json.dumps({f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(count)}).encode()
    (tmp_path / "many.safetensors").write_bytes(struct.pack("<Q", len(head)) + head)
    assert seconds("assert(#im.io.read_state_dict(arg[1]) == 80000)", tmp_path / "many.safetensors") < 6


SWEEP = """local im = require "imatch"
im.sweep { name = "wide", out = arg[1], axes = { a = { 1, 2 } }, quiet = true, report = false, pictures = 0, measure = function(p)
  local row = { long = p.a .. (" x"):rep(tonumber(arg[3])) .. (" "):rep(tonumber(arg[3])) .. "y" }
  for i = 1, tonumber(arg[2]) do row["m" .. i] = i * p.a end
  return row
end }"""


def test_a_long_text_is_shown(tmp_path):
    (tmp_path / "wide.lua").write_text(SWEEP)
    run("--no-cache", tmp_path / "wide.lua", tmp_path / "r", 3, 100_000)
    code = "package.loaded.words = nil local words = require 'imatch.sweep.words' local t = (' '):rep(300000) .. 'y' "
    assert seconds(code + "assert(#words.columns({ 'a', 'b' }, { { t, 'x' } }) > 300000)") < 2
    assert len(run("sweep", "show", tmp_path / "r/wide").stdout) > 400_000


def test_many_metrics_of_a_cell(tmp_path):
    (tmp_path / "wide.lua").write_text(SWEEP)
    began = time.monotonic()
    run("--no-cache", tmp_path / "wide.lua", tmp_path / "r", 100_000, 1)
    assert time.monotonic() - began < 20 * busy()
    (folder,) = (tmp_path / "r/wide").iterdir()
    head = (folder / "results.csv").read_text().split("\n", 1)[0]
    assert head.count(",m") == 100_000


# What is at work when the signal comes; each would take minutes.
WORK = {
    "hash": "local f = io.open(arg[1], 'wb') f:seek('set', 40e9) f:write 'x' f:close() im.file.sha256(arg[1])",
    "pattern": "(('a'):rep(30) .. 'b'):find(('a?'):rep(30) .. ('a'):rep(30) .. 'c') ('x'):rep(40000):find('.-.-.-.-y')",
    "finalizer": "do local p = newproxy(true) getmetatable(p).__gc = function() while true do end end p = nil end collectgarbage()",
    "bootstrap": "local v = {} for i = 1, 300000 do v[i] = i % 977 end im.evaluate.statistic(v, nil, { statistic = 'median', num_resamples = 100000 })",
    "rotate": "local i = im.image.new(12000, 12000) while true do i:rotate(33) end",
    "json": "im.io.read_json(arg[1])",
    "png": "local i = im.image.new(16000, 16000) while true do i:encode('png', { compression = 9 }) end",
    "webp": "local i = im.image.new(16000, 16000) while true do i:encode('webp') end",
    "world": "for seed = 1, 1000 do im.render.world { seed = seed, size_m = 8192 } end",
    "plan": "local axes = {} for i = 1, 5 do axes[i] = { name = 'a' .. i, values = im.range(1, 14) } end while true do im.run.plan(axes) end",
    "loop": "while true do end",
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["int", "term"])
@pytest.mark.parametrize("work", WORK)
def test_a_signal_is_answered(tmp_path, work, number):
    code = WORK[work]
    if work == "json":
        (tmp_path / "file").write_text(json.dumps(list(range(5_000_000))))
        code = "while true do im.io.read_json(arg[1]) end"
    (tmp_path / "work.lua").write_text(f"local im = require 'imatch' io.stdout:write 'begins\\n' io.stdout:flush() ; {code}")
    process = start("--no-cache", "--quiet", "--threads", "1", tmp_path / "work.lua", tmp_path / "file")
    try:
        assert process.stdout.readline() == "begins\n"
        time.sleep(0.5 * busy())
        assert process.poll() is None, process.communicate()
        slow, began = busy(), time.monotonic()
        process.send_signal(number)
        process.wait(timeout=60)
        took = time.monotonic() - began
    finally:
        process.kill()
        process.communicate()
    assert took < MOST_S * slow
    assert process.returncode == 128 + number

