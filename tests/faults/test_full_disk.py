# SPDX-License-Identifier: Apache-2.0
"""What a full disk leaves: the old file or the new one, no part of either, and a word about it. The size that files may have is
limited, which write() meets as it meets a full disk."""

import pathlib
import resource
import signal
import subprocess

import numpy as np
import pytest

import program

LIMIT = 20_000
FULL = pathlib.Path("/dev/full")


def limited():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))


WRITERS = {
    "text": "im.file.write(path, ('x'):rep(1e5))",
    "json": "im.io.write_json(path, { ('x'):rep(1e5) })",
    "csv": "im.io.write_csv(path, { { a = ('x'):rep(1e5) } }, { 'a' })",
    "npy": "im.io.write_npy(path, values)",
    "npz": "im.io.write_npz(path, { a = values })",
    "safetensors": "im.io.write_safetensors(path, { a = values })",
    "png": "im.image.open(arg[3]):save(path)",
    "index": "filled:save(path)",
    "page": "require('imatch.retrieval.report').write(path, 'Title', { runs = {}, points = {}, num_queries = 0, radius_m = 1 })",
}

@pytest.mark.parametrize("kind", WRITERS)
def test_a_file_that_finds_no_room_is_not_there(tmp_path, kind):
    np.save(tmp_path / "v.npy", np.random.default_rng(0).standard_normal((300, 64)).astype("f4"))
    suffix = {"png": ".png", "index": ".faiss", "page": ".html"}.get(kind, ".out")
    (tmp_path / "results").mkdir()
    path = tmp_path / "results" / ("a" + suffix)
    path.write_text("as it was")
    code = f"""
        local path, values = arg[1], assert(im.io.read_npy(arg[2]))
        local filled = im.index.new(64)
        filled:add(values)
        local ok, done, message = pcall(function() return {WRITERS[kind]} end)
        print(ok and done and "written" or "refused", ok and message or done)"""
    out = program.lua(code, path, tmp_path / "v.npy", program.ROOT / "docs/a.jpg", preexec_fn=limited, restore_signals=False)
    assert out.startswith("refused") and "a" + suffix in out, out
    assert path.read_text() == "as it was" and [p.name for p in path.parent.iterdir()] == [path.name]


SWEEP = """
local im = require "imatch"
im.sweep { name = "s", out = arg[1], quiet = true, report = false, axes = { a = im.range(1, 60) },
  measure = function(p) return { s = p.a, pad = ("x"):rep(1000) } end }
"""


@pytest.mark.skipif(not FULL.is_char_device(), reason="there is no /dev/full")
def test_standard_output_that_takes_nothing_is_a_failure(tmp_path):
    (tmp_path / "s.lua").write_text(SWEEP)
    program.run(tmp_path / "s.lua", tmp_path / "runs")
    for arguments in (["sweep", "export", "csv", tmp_path / "runs/s"], ["sweep", "show", tmp_path / "runs/s"], ["help"],
                      ["-e", "print(('x'):rep(1e6)) os.exit(0)"], ["-e", "print 'x' os.exit(true)"], ["-e", "print 'x'"],
                      ["-e", "io.write(('x'):rep(1e6)) print 'y'"]):
        with FULL.open("wb") as full:
                    done = subprocess.run([program.PROGRAM, *map(str, arguments)], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 1 and "cannot" in done.stderr, (arguments, done)


def test_a_device_is_written_into_and_not_replaced(tmp_path):
    link = tmp_path / "link"
    link.symlink_to("/dev/null")
    assert program.lua("print(im.file.write(arg[1], 'x'))", link) == "true\n"
    assert link.is_symlink() and pathlib.Path("/dev/null").is_char_device()
    assert program.lua("assert(im.file.write('/dev/stdout', 'to the pipe'))") == "to the pipe"


def test_a_replaced_file_keeps_its_permissions(tmp_path):
    path = tmp_path / "private"
    path.write_text("old")
    path.chmod(0o600)
    program.lua("assert(im.file.write(arg[1], 'new'))", path)
    assert path.read_text() == "new" and path.stat().st_mode & 0o777 == 0o600


def test_output_of_a_cell_that_goes_nowhere_is_a_failure(tmp_path):
    (tmp_path / "s.lua").write_text(SWEEP.replace("return {", "print(p.a) return {"))
    with FULL.open("wb") as full:
        done = subprocess.run([program.PROGRAM, str(tmp_path / "s.lua"), str(tmp_path / "runs")], stdout=full, stderr=subprocess.PIPE,
                              text=True, check=False)
    assert done.returncode == 1 and "standard output" in done.stderr
