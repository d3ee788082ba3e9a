# SPDX-License-Identifier: Apache-2.0
"""The baseline of cached_cells.lua: reads one JSON file for each cell of its run and writes them as a table."""

import csv
import json
import pathlib
import sys
import time

start = time.perf_counter()
(folder,) = pathlib.Path(sys.argv[1]).glob("*/*/cells")
cells = [json.loads(path.read_text()) for path in sorted(folder.glob("**/*.json"))]
assert len(cells) == 10000, len(cells)
rows = [{"key": cell["key"], **cell["params"], **cell["metrics"]} for cell in cells]
with open(folder.parent / "baseline.csv", "w", newline="") as file:
    writer = csv.DictWriter(file, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
print(time.perf_counter() - start)
