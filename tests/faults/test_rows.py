# SPDX-License-Identifier: Apache-2.0
"""Rows for Redis: each is on the server, waits in a file, or is counted as lost with an exit status that tells."""

import re
import shutil
import socket
import subprocess
import time

import numpy as np
import pytest

import program
from files import write_json
from ports import free_port

SERVER, CLIENT = shutil.which("redis-server"), shutil.which("redis-cli")
with_server = pytest.mark.skipif(not SERVER or not CLIENT, reason="redis-server is not installed")

# Pushes two turns of 40 rows; between them it waits for a line.
SCRIPT = """
local im = require "imatch"
local folder, url, buffer_mb = arg[1], arg[2], tonumber(arg[3])
local paths = im.file.list(folder .. "/vectors", { extensions = { "npy" } })
for i, name in ipairs(paths) do paths[i] = folder .. "/vectors/" .. name end
local set = im.retrieval.vectors(paths)
local index = im.index.new(set:tensor():shape()[2])
index:add(set:tensor())
local scores, ids = index:search(set:tensor(), { k = 3 })
local redis = assert(im.redis.open(url, { buffer = folder .. "/buffer", buffer_mb = buffer_mb, wait_s = 0.3, batch = 8 }))
for turn = 1, 2 do
  local counts, why, code = redis:push_results(set, set, scores, ids,
    { weight = arg[4] .. turn, mode = "raw", direction = "db2db", k = 3 })
  print(counts and "pushed" or code)
  io.stdout:flush()
  io.read "*l"
end
local counts = redis:finish() or redis:counts()
print(im.io.json(counts))
"""


class Server:
    def __init__(self, folder, port):
        self.port = port
        self.process = subprocess.Popen([SERVER, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""],
                                        stdout=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)

    def num_rows(self):
        return int(subprocess.run([CLIENT, "-p", str(self.port), "XLEN", "coarse:stream"], capture_output=True, text=True, check=True).stdout)

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "vectors").mkdir()
    vectors = np.random.default_rng(5).standard_normal((40, 8)).astype("f4")
    for i, vector in enumerate(vectors):
        stem = tmp_path / "vectors" / f"GlobalToken_res224_raw_dinov3_w_{i:04d}"
        np.save(f"{stem}.npy", vector)
        write_json(f"{stem}_meta.json", {"image": f"/photos/{i:04d}.jpg"})
    (tmp_path / "push.lua").write_text(SCRIPT)
    return tmp_path


def start(folder, port, buffer_mb, name):
    return program.start(folder / "push.lua", folder, f"redis://127.0.0.1:{port}/0", buffer_mb, name, stdin=subprocess.PIPE)


def finish(process):
    out, error = process.communicate("\n" * 4, timeout=60)
    assert process.returncode == 0, error
    counts = re.search(r"\{.*\}", out, re.DOTALL).group()
    return {name: int(number) for name, number in re.findall(r'"(\w+)":\s*(\d+)', counts)}


@with_server
def test_rows_of_a_full_buffer_are_counted_also_when_the_server_comes_back(folder):
    port = free_port()
    process = start(folder, port, 0.01, "w")
    assert process.stdout.readline() == "buffer_full\n"
    server = Server(folder, port)
    try:
        counts = finish(process)
        assert counts["lost"] > 0 and counts["waiting"] == 0
        assert counts["pushed"] + counts["lost"] == 80 and server.num_rows() == counts["pushed"] >= 40
        assert not (folder / "buffer").exists()
    finally:
        server.kill()


@with_server
def test_two_processes_share_the_name_of_a_buffer(folder):
    port = free_port()
    first = start(folder, port, 10, "a")
    assert first.stdout.readline() == "pushed\n"
    second = start(folder, port, 10, "b")
    assert second.stdout.readline() == "pushed\n"
    assert finish(first)["waiting"] == 80 and finish(second)["waiting"] == 80
    server = Server(folder, port)
    try:
        counts = finish(start(folder, port, 10, "c"))
        assert counts["pushed"] == 240 and counts["waiting"] == counts["lost"] == 0 and server.num_rows() == 240
        assert not list(folder.glob("buffer*"))
    finally:
        server.kill()


def archive(root, count):
    folder = root / "ds/vits16/L/GlobalToken"
    folder.mkdir(parents=True)
    for i, vector in enumerate(np.random.default_rng(count).standard_normal((count, 8)).astype("f4")):
        stem = folder / f"GlobalToken_res224_raw_dinov3_vits16_LVD_L_{i:04d}"
        np.save(f"{stem}.npy", vector)
        write_json(f"{stem}_meta.json", {"image": f"/x/{i:04d}.jpg", "config": {"backbone": "b", "weights_sha256": "c"}})
    return root


def search(tmp_path, *options, **more):
    return program.run("search", "--data-root", archive(tmp_path / "data", 30), "--reference-root", archive(tmp_path / "ref", 60),
                       "--out", tmp_path / "out", "-k", 3, "--redis", f"redis://127.0.0.1:{free_port()}/0", "--redis-wait", 0.2,
                       *options, **more)


@pytest.mark.parametrize("megabytes, loses", [(10, False), (0.01, True)])
def test_search_says_how_many_rows_have_not_arrived(tmp_path, megabytes, loses):
    done = search(tmp_path, "--redis-buffer-mb", megabytes, status=1)
    waiting = int(re.search(r"(\d+) rows have not arrived", done.stderr).group(1))
    lost = re.search(r"(\d+) rows are lost", done.stderr)
    assert waiting + (int(lost.group(1)) if lost else 0) == 60 and bool(lost) == loses
    assert len(list((tmp_path / "out").rglob("*_top3.json"))) == 60  # the search itself went on


def test_a_buffer_that_is_something_else_stays(tmp_path):
    (tmp_path / "notes.txt").write_text("notes")
    done = search(tmp_path, "--redis-buffer", tmp_path / "notes.txt", status=1)
    assert "notes.txt: holds something else than rows for Redis" in done.stderr
    assert (tmp_path / "notes.txt").read_text() == "notes"
