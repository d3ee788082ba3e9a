# SPDX-License-Identifier: Apache-2.0
"""Pushing rows to a real redis-server that is killed and started again in the middle: nothing lost, nothing twice."""

import json
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
import urllib.parse

import numpy as np
import pytest

import program
from files import write_json
from ports import free_port

SERVER, CLIENT = shutil.which("redis-server"), shutil.which("redis-cli")
pytestmark = pytest.mark.skipif(not SERVER or not CLIENT, reason="redis-server is not installed")

SCRIPT = """
local im = require "imatch"
local folder, url, turns, pause_s = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4])
local options = im.io.read_json(folder .. "/options.json")
local paths = im.file.list(folder .. "/vectors", { extensions = { "npy" } })
for i, name in ipairs(paths) do paths[i] = folder .. "/vectors/" .. name end
local set = im.retrieval.vectors(paths)
local index = im.index.new(set:tensor():shape()[2])
index:add(set:tensor())
local redis, why, code = im.redis.open(url, options)
if not redis then
  io.stderr:write(code, ": ", why, "\\n")
  os.exit(1)
end
local counts
local is_partial = false
for turn = 1, turns do
  local scores, ids = index:search(set:tensor(), { k = 3 })
  local pushed, problem, kind = redis:push_results(set, set, scores, ids,
    { weight = "w" .. turn, mode = "raw", direction = "db2db", k = 3 })
  if not pushed then
    io.stderr:write(kind, ": ", problem, "\\n")
    is_partial = true
  end
  print("turn " .. turn)
  io.stdout:flush()
  local until_s = im.now() + pause_s
  while im.now() < until_s do end
end
counts, why, code = redis:finish()
if not counts then
  io.stderr:write(code, ": ", why, "\\n")
  os.exit(1)
end
print(im.io.json(counts))
os.exit(is_partial and 1 or 0)
"""


class Server:
    def __init__(self, folder, *options, tls=False):
        self.port = free_port()
        self.folder, self.options, self.tls, self.process = folder, options, tls, None
        self.start()

    def start(self):
        ports = ["--port", "0", "--tls-port", str(self.port)] if self.tls else ["--port", str(self.port)]
        self.process = subprocess.Popen([SERVER, *ports, "--bind", "127.0.0.1", "--dir", str(self.folder), "--appendonly", "yes",
                                         "--appendfsync", "always", "--save", "", *self.options], stdout=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            time.sleep(0.05)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def ask(self, *command, options=()):
        done = subprocess.run([CLIENT, "-p", str(self.port), "--json", *options, *command], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def url(self, scheme="redis", database=0):
        return f"{scheme}://127.0.0.1:{self.port}/{database}"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "vectors").mkdir()
    rng = np.random.default_rng(1)
    for i in range(40):
        np.save(tmp_path / f"vectors/GlobalToken_res8_raw_hub_LVD_a_{i:04d}.npy", rng.normal(size=8).astype(np.float32))
    (tmp_path / "push.lua").write_text(SCRIPT)
    (tmp_path / "server").mkdir()
    return tmp_path


def start(folder, url, turns=1, pause_s=0.0, **options):
    write_json(folder / "options.json", {"buffer": str(folder / "buffer"), "timeout_s": 20, "wait_s": 60, **options})
    return program.start(folder / "push.lua", folder, url, turns, pause_s)


def push(folder, url, turns=1, **options):
    process = start(folder, url, turns, **options)
    out, error = process.communicate(timeout=300)
    return process.returncode, (json.loads(out.splitlines()[-1]) if process.returncode == 0 else None), error


@pytest.fixture
def servers(folder):
    running = []

    def make(*options, **settings):
        running.append(Server(folder / "server", *options, **settings))
        return running[-1]

    yield make
    for server in running:
        server.kill()


def stream(server, prefix="coarse", options=()):
    return [dict(zip(fields[::2], fields[1::2], strict=True)) if isinstance(fields, list) else fields
            for _, fields in server.ask("XRANGE", f"{prefix}:stream", "-", "+", options=options)]


def test_rows_arrive_as_hashes_and_a_stream(folder, servers):
    server = servers()
    code, counts, error = push(folder, server.url(database=3), ttl_s=500, prefix="p")
    assert code == 0, error
    assert counts["pushed"] == 40 and counts["waiting"] == 0
    options = ("-n", "3")
    keys = server.ask("KEYS", "p:w1:db2db:*", options=options)
    assert len(keys) == 40 and server.ask("KEYS", "*") == []
    assert 0 < server.ask("TTL", keys[0], options=options) <= 500
    row = json.loads(server.ask("HGET", keys[0], "row", options=options))
    assert set(row) == {"encoder", "backend", "dim", "metric", "topk", "timing_ms", "results", "index_build_ms"}
    assert [r["rank"] for r in row["results"]] == [1, 2, 3] and row["dim"] == 8
    assert len(stream(server, "p", options)) == 40
    again, counts, _ = push(folder, server.url(database=3), ttl_s=500, prefix="p")
    assert again == 0 and counts["pushed"] == 0 and counts["there"] == 40
    assert len(stream(server, "p", options)) == 40


def test_a_server_killed_in_the_middle_loses_nothing_and_gets_nothing_twice(folder, servers):
    server = servers()
    process = start(folder, server.url(), turns=12, pause_s=0.3, batch=16)
    for line in process.stdout:
        if line.strip() == "turn 3":
            server.kill()
        if line.strip() == "turn 7":
            assert (folder / "buffer").stat().st_size > 0
            server.start()
        if line.strip() == "turn 9":
            server.kill()
            server.start()
        if line.startswith("{"):
            counts = json.loads(line)
    assert process.wait() == 0, process.stderr.read()
    rows = stream(server)
    assert len(rows) == 12 * 40 and len({r["key"] for r in rows}) == 12 * 40
    assert len(server.ask("KEYS", "coarse:w*")) == 12 * 40
    assert counts["waiting"] == 0 and counts["reconnects"] >= 1 and not (folder / "buffer").exists()


def test_what_waits_goes_with_the_next_run(folder, servers):
    server = servers()
    server.kill()
    code, counts, _ = push(folder, server.url(), wait_s=0)
    assert code == 0 and counts["waiting"] == 40 and (folder / "buffer").exists()
    server.start()
    code, counts, _ = push(folder, server.url(), turns=2)
    assert code == 0 and counts["waiting"] == 0
    assert len(stream(server)) == 80 and not (folder / "buffer").exists()


def test_a_full_buffer_is_an_error_not_a_loss(folder, servers):
    server = servers()
    server.kill()
    code, _, error = push(folder, server.url(), turns=3, wait_s=0.3, buffer_mb=0.02, batch=8)
    assert code == 1 and error.startswith("buffer_full: ") and "rows were not taken" in error and (folder / "buffer").stat().st_size <= 20_000


def test_passwords(folder, servers):
    server = servers("--requirepass", "right")
    code, _, error = push(folder, server.url(), password="wrong")
    assert code == 1 and error.startswith("refused: ") and "password" in error and len(error.splitlines()) == 1
    code, _, error = push(folder, server.url())
    assert code == 1 and error.startswith("refused: ")
    code, counts, error = push(folder, f"redis://:right@127.0.0.1:{server.port}")
    assert code == 0 and counts["pushed"] == 40, error
    code, _, error = push(folder, server.url(database=99), password="right")
    assert code == 1 and error.startswith("refused: ") and "database" in error


def test_a_user_and_a_password_of_any_letters(folder, servers):
    """Redis' own access list, and a URL that writes them with percent signs."""
    server = servers()
    user, password = "pilot@base", "s3cret/ä:%41#?"
    server.ask("ACL", "SETUSER", user, "on", f">{password}", "~*", "+@all")
    server.ask("ACL", "SETUSER", "default", "off")
    quoted = f"{urllib.parse.quote(user, safe='')}:{urllib.parse.quote(password, safe='')}"
    code, counts, error = push(folder, f"redis://{quoted}@127.0.0.1:{server.port}")
    assert code == 0 and counts["pushed"] == 40, error
    wrong = f"{urllib.parse.quote(user, safe='')}:{urllib.parse.quote(password[:-1], safe='')}"
    code, _, error = push(folder, f"redis://{wrong}@127.0.0.1:{server.port}")
    assert code == 1 and error.startswith("refused: ") and "s3cret" not in error


def test_tls(folder, servers):
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("openssl is not installed")
    key, certificate = folder / "key.pem", folder / "cert.pem"
    subprocess.run([openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", str(key), "-out", str(certificate),
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    server = servers("--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-ca-cert-file", str(certificate),
                     "--tls-auth-clients", "no", tls=True)
    code, _, error = push(folder, server.url("rediss"))
    assert code == 1 and error.startswith("refused: ") and "certificate" in error
    code, counts, error = push(folder, server.url("rediss"), ca_file=str(certificate))
    assert code == 0 and counts["pushed"] == 40, error
    code, counts, error = push(folder, server.url("rediss"), verify=False)
    assert code == 0 and counts["there"] == 40, error


class SearchProxy:
    """In front of a real server: answers for a search module (the list of modules, FT.CREATE), passes on all else."""

    def __init__(self, port, answer):
        self.upstream, self.answer, self.created = port, answer, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.upstream))
            threading.Thread(target=self.commands, args=(client, server), daemon=True).start()
            threading.Thread(target=self.answers, args=(client, server), daemon=True).start()

    @staticmethod
    def answers(client, server):
        while block := server.recv(1 << 16):
            client.sendall(block)

    def commands(self, client, server):
        stream = client.makefile("rb")
        while head := stream.readline():
            words = []
            for _ in range(int(head[1:])):
                size = int(stream.readline()[1:])
                words.append(stream.read(size + 2)[:-2])
            if words[:2] == [b"MODULE", b"LIST"]:
                client.sendall(b"*1\r\n*4\r\n$4\r\nname\r\n$6\r\nsearch\r\n$3\r\nver\r\n:20809\r\n")
            elif words[0] == b"FT.CREATE":
                self.created.append([w.decode() for w in words])
                client.sendall(self.answer)
            else:
                server.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))


@pytest.mark.parametrize("answer,is_used", [(b"+OK\r\n", True), (b"-Index already exists\r\n", True),
                                            (b"-Invalid field type for field `embedding`\r\n", False)])
def test_a_search_module_gets_a_vector_index_and_the_vectors(folder, servers, answer, is_used):
    server = servers()
    proxy = SearchProxy(server.port, answer)
    code, counts, error = push(folder, f"redis://127.0.0.1:{proxy.port}")
    assert code == 0 and counts["pushed"] == 40, error
    (created,) = proxy.created
    assert created[:7] == ["FT.CREATE", "coarse:index8", "ON", "HASH", "PREFIX", "1", "coarse:"]
    schema = created[created.index("SCHEMA") + 1:]
    vector = schema[schema.index("embedding"):]
    assert vector[1:3] == ["VECTOR", "HNSW"] and int(vector[3]) == len(vector[4:])  # FT.CREATE counts the attributes
    assert dict(zip(vector[4::2], vector[5::2], strict=True)) == {"TYPE": "FLOAT32", "DIM": "8", "DISTANCE_METRIC": "COSINE"}
    assert counts["search_problem"] == ("" if is_used else "Invalid field type for field `embedding`")

    # The field holds a query's vector, of length one as it was searched with: eight little-endian floats.
    found = []
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        stream_of = raw.makefile("rb")
        for key in server.ask("KEYS", "coarse:w1:*"):
            raw.sendall(f"*3\r\n$4\r\nHGET\r\n${len(key)}\r\n{key}\r\n$9\r\nembedding\r\n".encode())
            size = int(stream_of.readline()[1:])
            if size >= 0:
                found.append(struct.unpack("<8f", stream_of.read(size + 2)[:-2]))
    expected = np.stack([np.load(path) for path in sorted((folder / "vectors").iterdir())])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    if is_used:
        np.testing.assert_allclose(np.array(sorted(found)), expected[np.lexsort(expected.T[::-1])], rtol=1e-5)
    else:
        assert found == []
