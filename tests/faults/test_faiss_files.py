# SPDX-License-Identifier: Apache-2.0
"""Damaged .faiss files: whatever byte is another, the file is refused or searched; nothing ends the process."""

import os
import subprocess

import pytest

from program import PROGRAM, lua

MUTATIONS = int(os.environ.get("IMATCH_FAISS_MUTATIONS", "40"))  # of each kind of index

# PQ learns 256 codewords, for which it wants as many rows.
FACTORIES = ["Flat", "SQ8", "SQ4", "SQfp16", "SQ6", "PQ4", "PQ8x4fs", "HNSW8", "HNSW8,SQ8", "HNSW8_PQ4", "NSG8", "IVF8,Flat", "IVF8,SQ8",
             "IVF8,PQ4", "IVF8,PQ8x4fs", "IVF8_HNSW4,Flat", "PCA8,Flat", "PCA8,IVF8,SQ8", "L2norm,Flat", "IVF8,PQ4,RFlat",
             "IDMap2,Flat", "PCAR8,SQ8", "RR16,SQ8"]

MAKE = """
local base = im.tensor.from_table((function()
  math.randomseed(1)
  local rows = {}
  for i = 1, 400 do
    rows[i] = {}
    for d = 1, 16 do rows[i][d] = math.random() - 0.5 end
  end
  return rows
end)())
for i, factory in ipairs(arg) do
  if i > 1 then
    local index = im.index.new(16, { factory = factory, metric = (i % 2 == 0 or factory:find '_PQ') and 'l2' or 'inner_product' })
    index:add(base)
    assert(index:save(('%s/%02d.faiss'):format(arg[1], i - 2)))
    local read, why = im.index.load(('%s/%02d.faiss'):format(arg[1], i - 2))
    print(factory, read and select(2, read:search(base, { k = 3 })):shape()[1] or why)
  end
end
"""

# Every mutation is written, loaded and searched; the number of the one at work is on the last line of a process that ended.
ATTACK = """
local folder, kind, from, to = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4])
local whole = assert(im.file.read(('%s/%s.faiss'):format(folder, kind)))
local q = {}
for i = 1, 16 do q[i] = (i % 7 - 3) / 5 end
local queries = im.tensor.from_table { q, q, q }
local path = ('%s/mutated_%s.faiss'):format(folder, kind)
local values = { 0, 1, 2, 127, 128, 255 }
local refused, searched = 0, 0
for number = from, to do
  io.write(number, '\\n') io.flush()
  math.randomseed(number * 7919) math.random() math.random()
  local bytes, at = whole, nil
  for _ = 1, math.random(1, 3) do
    -- Half of them near the beginning or the end, where sizes and settings stand.
    local reach = math.random(4)
    at = reach == 1 and math.random(1, math.min(160, #bytes)) or reach == 2 and math.random(math.max(1, #bytes - 160), #bytes)
      or math.random(1, #bytes)
    local value = math.random(3) == 1 and values[math.random(#values)] or math.random(0, 255)
    bytes = bytes:sub(1, at - 1) .. string.char(value) .. bytes:sub(at + 1)
  end
  if math.random(12) == 1 then bytes = bytes:sub(1, at) end
  local file = assert(io.open(path, 'wb')) -- without waiting for the disk
  file:write(bytes)
  file:close()
  local index = im.index.load(path)
  if index then
    pcall(index.search, index, queries, { k = 5 })
    pcall(index.search, index, queries, { k = 500 })
    searched = searched + 1
    index:close()
  else
    refused = refused + 1
  end
end
print('end', refused, searched)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("faiss")
    (path / "said").write_text(lua(MAKE, path, *FACTORIES))
    return path


def test_undamaged_files_of_all_kinds_are_read(folder):
    said = dict(line.split("\t") for line in (folder / "said").read_text().splitlines())
    assert said == {factory: said[factory] for factory in FACTORIES}
    wrong = {factory: text for factory, text in said.items() if not text.isdigit()}
    assert not wrong


@pytest.mark.parametrize("number", range(len(FACTORIES)), ids=FACTORIES)
def test_damaged_files_end_no_process(folder, number):
    done = subprocess.run([PROGRAM, "--no-cache", "--quiet", "--threads", "1", "-", folder, f"{number:02d}", "1", str(MUTATIONS)],
                          input="local im = require 'imatch'\n" + ATTACK, text=True, capture_output=True, timeout=3000, check=False)
    lines = done.stdout.split("\n")
    assert done.returncode == 0 and lines[-2].startswith("end"), f"mutation {lines[-2:]} of {FACTORIES[number]}: {done.returncode}"
    _, refused, searched = lines[-2].split("\t")
    assert int(refused) + int(searched) == MUTATIONS and int(refused) > 0
