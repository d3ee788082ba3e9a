# SPDX-License-Identifier: Apache-2.0
"""What a cell of a sweep costs beside what it measures. CTest lets it run alone: neighbours take caches and half a core away."""

import pathlib
import shutil
import tempfile

import pytest

from program import run_with_usage


@pytest.fixture
def folder(tmp_path):
    """In memory where that is to be had: what a disk's journal takes of the processor, or not, is not the sweep's."""
    memory = pathlib.Path("/dev/shm")
    if not memory.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as place:
        yield pathlib.Path(place)


def test_an_empty_cell_costs_little(folder):
    (folder / "empty.lua").write_text("""
      local im = require "imatch"
      local start = os.clock()
      im.sweep { name = "empty", out = "runs", quiet = true, report = false, axes = { i = im.range(1, 5000) },
        measure = function() return {} end }
      print((os.clock() - start) / 5)
    """)
    costs = []  # time of the processor, ms; the least of three, since other programs fill its caches too
    for _ in range(3):
        out, _, _ = run_with_usage("--quiet", "empty.lua", cwd=folder)
        costs.append(float(out))
        shutil.rmtree(folder / "runs")
    print(f"an empty cell costs {min(costs):.3f} ms")
    assert min(costs) <= 0.5
