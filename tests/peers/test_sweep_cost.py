# SPDX-License-Identifier: Apache-2.0
"""What a cell of a sweep costs beside what it measures. CTest lets it run alone: neighbours take caches and half a core away."""

import shutil

from program import run_with_usage


def test_an_empty_cell_costs_little(tmp_path):
    (tmp_path / "empty.lua").write_text("""
      local im = require "imatch"
      local start = os.clock()
      im.sweep { name = "empty", out = "runs", quiet = true, report = false, axes = { i = im.range(1, 5000) },
        measure = function() return {} end }
      print((os.clock() - start) / 5)
    """)
    costs = []  # time of the processor, ms; the least of a few, since other programs of the machine fill its caches too
    while len(costs) < 8 and min(costs, default=1) > 0.5:
        out, _, _ = run_with_usage("--quiet", "empty.lua", cwd=tmp_path)
        costs.append(float(out))
        shutil.rmtree(tmp_path / "runs")
    print(f"an empty cell costs {min(costs):.3f} ms")
    assert min(costs) <= 0.5
