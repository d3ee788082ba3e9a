# SPDX-License-Identifier: Apache-2.0
"""Passwords stay where they were given: in no message, no file, and not in the list of processes; caches are their user's."""

import os
import pathlib
import time

from program import finish, run, start

SWEEP = """
local im = require "imatch"
im.sweep { name = "tiny", out = arg[1], axes = { a = { 1, 2 } }, quiet = true, report = {}, pictures = 0,
  measure = function(p) im.sleep(tonumber(os.getenv "SLEEP_S" or "0")) return { s = p.a, n = #arg[2] } end }
"""
URL = "redis://someone:hunter2@127.0.0.1:1/0"


def files_with(folder, word):
    return [p for p in folder.rglob("*") if p.is_file() and word.encode() in p.read_bytes()]


def test_no_password_in_messages():
    code = "local im = require 'imatch' for _, url in ipairs { 'redis://:hunter2@h:0/0', 'redis://u:hunter2@h/x', 'ftp://u:hunter2@h' } do "
    done = run("-e", code + "local ok, why = pcall(im.redis.open, url) assert(not ok) print(why) end")
    assert "hunter2" not in done.stdout + done.stderr and done.stdout.count("***") == 3


def test_no_password_in_a_run_folder(tmp_path):
    (tmp_path / "tiny.lua").write_text(SWEEP)
    run("--no-cache", tmp_path / "tiny.lua", tmp_path / "runs", URL, "--redis-password", "hunter2", "--redis-password=hunter2")
    assert not files_with(tmp_path / "runs", "hunter2")
    (folder,) = (tmp_path / "runs/tiny").iterdir()
    assert "redis://someone:***@127.0.0.1:1/0" in (folder / "provenance.json").read_text()
    refused = run("sweep", "resume", folder, status=None)
    assert refused.returncode == 1 and "a password among the script's arguments is not kept" in refused.stderr


def test_the_script_still_gets_the_password(tmp_path):
    (tmp_path / "tell.lua").write_text("print(arg[1], im == nil)")
    assert run(tmp_path / "tell.lua", URL).stdout.startswith(URL)


def test_no_password_in_the_list_of_processes(tmp_path):
    (tmp_path / "tiny.lua").write_text(SWEEP)
    process = start("--no-cache", tmp_path / "tiny.lua", tmp_path / "runs", URL, "--redis-password", "hunter2", env={"SLEEP_S": "1"})
    try:
        words, deadline = b"", time.monotonic() + 60
        while time.monotonic() < deadline and b"***" not in words:
            words = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes()
            time.sleep(0.05)
    finally:
        finish(process)
    assert b"hunter2" not in words and b"redis://someone:***@127.0.0.1:1/0" in words


CACHED = ("local im = require 'imatch' im.backbone.features(im.image.new(64, 48), 'dense_sift', { image_size = 64 }) "
          "print(im.cache.settings().folder)")


def test_without_home_the_cache_is_this_users_alone(tmp_path):
    without = {"HOME": None, "XDG_CACHE_HOME": None, "XDG_STATE_HOME": None, "TMPDIR": str(tmp_path)}
    own = tmp_path / f"imatch-lua-{os.geteuid()}"
    done = run("-e", CACHED, env=without)
    assert own.stat().st_mode & 0o777 == 0o700 and str(own) in done.stdout and list(own.rglob("*.features"))
    assert "warning" not in done.stderr
    own.chmod(0o755)  # as another user could have made it beforehand
    done = run("-e", CACHED, env=without)
    assert "is no folder of this user's alone" in done.stderr
    own.chmod(0o700)
    link = tmp_path / "elsewhere"
    own.rename(link)
    own.symlink_to(link)
    assert "is no folder of this user's alone" in run("-e", CACHED, env=without).stderr
