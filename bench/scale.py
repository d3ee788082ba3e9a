#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What indexes cost: the measured figures of docs/scale.md.

    bench/scale.py [--vectors N] [--dim D] [--program PATH] [FACTORY[:PARAMETERS]...]      in .deps/peers/bin/python

Makes N unit vectors around N / 50 places and 1,000 queries near other vectors of the same places, and for each of FAISS's factory
strings builds an index, saves it, and searches it in a process of its own, IVF ones left in the file too (mapped). A line each:
seconds to build, bytes a vector in the file, ms a query asked alone and among 1,000, share of the ten nearest of `Flat` among its ten,
and what memory the searching process held beyond the queries. Times are those of one core, as the processor counts them, so that
what else the machine does adds little. Needs the program (`./setup`) and NumPy (`./setup --peers`).
"""

import argparse
import os
import pathlib
import re
import subprocess
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
FACTORIES = ["Flat", "HNSW32:efSearch=64", "IVF512,Flat:nprobe=16", "IVF512,SQ8:nprobe=16", "IVF512,PQ64:nprobe=32"]
BUILD = """
local im = require "imatch"
local folder, factory = ...
local vectors = assert(im.io.read_npy(folder .. "/vectors.npy"))
local index = im.index.new(vectors:shape()[2], { factory = factory })
local start = os.clock()
index:train(vectors)
index:add(vectors)
print(os.clock() - start)
assert(index:save(folder .. "/index.faiss"))
"""
SEARCH = """
local im = require "imatch"
local folder, parameters, mapped = ...
local function memory_mb()
  for line in io.lines "/proc/self/status" do
    local kb = line:match "^VmRSS:%s+(%d+)"
    if kb then return kb / 1024 end
  end
end
local queries = assert(im.io.read_npy(folder .. "/queries.npy"))
local alone = assert(im.io.read_npy(folder .. "/query.npy"))
local before = memory_mb()
local index = assert(im.index.load(folder .. "/index.faiss", { memory_mapped = mapped == "mapped" }))
if parameters ~= "" then index:set_parameters(parameters) end
local function median_s(asked, turns)
  local times = {}
  for turn = 0, turns do
    local start = os.clock()
    local scores, ids = index:search(asked, { k = 10 })
    times[turn] = os.clock() - start
  end
  table.sort(times) -- of the turns 1 to `turns`; turn 0 warms up
  return times[math.ceil(turns / 2)]
end
local one_ms, many_ms = 1000 * median_s(alone, 40), median_s(queries, 1) -- s of 1,000 are ms of one
local _, ids = index:search(queries, { k = 10 })
assert(im.io.write_npy(folder .. "/ids.npy", ids))
print(one_ms, many_ms, memory_mb() - before)
"""


def lua(program, code, *arguments):
    done = subprocess.run([program, "--no-cache", "--threads", "1", "-", *map(str, arguments)], input=code, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return [float(number) for number in done.stdout.split()]


def make_vectors(folder, num_vectors, dim):
    random = np.random.default_rng(1)
    places = random.standard_normal((max(1, num_vectors // 50), dim), dtype=np.float32)

    def near(count):
        # As far from their place as from each other's, seen from the origin: neither all alike nor all unlike.
        vectors = places[random.integers(len(places), size=count)] + random.standard_normal((count, dim), dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    np.save(folder / "vectors.npy", near(num_vectors))
    queries = near(1000)
    np.save(folder / "queries.npy", queries)
    np.save(folder / "query.npy", queries[:1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vectors", type=int, default=50_000)
    parser.add_argument("--dim", type=int, default=1024)
    parser.add_argument("--program", default=os.environ.get("IMATCH_LUA", str(ROOT / "build/imatch-lua")))
    parser.add_argument("factories", nargs="*", default=FACTORIES)
    arguments = parser.parse_args()
    print(f"{arguments.vectors} vectors of {arguments.dim} values")
    print("| index | built in s | bytes a vector | ms a query alone | ms of 1,000 a query | ten nearest | memory MB |\n|" + " --- |" * 7)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        make_vectors(folder, arguments.vectors, arguments.dim)
        exact = None
        for text in arguments.factories:
            factory, _, parameters = text.partition(":")
            (build_s,) = lua(arguments.program, BUILD, folder, factory)
            size = (folder / "index.faiss").stat().st_size / arguments.vectors
            for mapped in ["", "mapped"] if re.search(r"IVF\d+,Flat|IVF\d+,SQ8", factory) else [""]:
                one_ms, many_ms, memory_mb = lua(arguments.program, SEARCH, folder, parameters, mapped)
                ids = np.load(folder / "ids.npy")
                exact = ids if exact is None else exact
                share = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(ids, exact)])
                print(f"| `{text}`{' ' + mapped if mapped else ''} | {build_s:.1f} | {size:.0f} | {one_ms:.2f} | {many_ms:.3f} | "
                      f"{share:.3f} | {memory_mb:.0f} |", flush=True)


if __name__ == "__main__":
    main()
