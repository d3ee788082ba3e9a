# SPDX-License-Identifier: Apache-2.0
"""The baseline of coreset.lua: anomalib's greedy k-centre (2.4 on) written in PyTorch: project, then for every pick a distance
to all rows, a running minimum and an argmax. `coreset.py FOLDER make` writes the rows for both. Like patches of pictures,
they vary in few directions about common centres."""

import math
import os
import sys
import time

import numpy as np
import torch

ROWS, DIMS, PICKS, EPS = 50_000, 1_536, 500, 0.9
folder = sys.argv[1]

if sys.argv[2:] == ["make"]:
    os.makedirs(folder, exist_ok=True)
    random = np.random.default_rng(0)
    centres = random.normal(size=(60, DIMS)).astype(np.float32)
    mixing = random.normal(size=(40, DIMS)).astype(np.float32) / 6
    rows = centres[random.integers(60, size=ROWS)] + random.normal(size=(ROWS, 40)).astype(np.float32) @ mixing
    rows += 0.1 * random.normal(size=rows.shape).astype(np.float32)
    np.save(f"{folder}/rows.npy", rows)
    sys.exit()

rows = torch.from_numpy(np.load(f"{folder}/rows.npy"))
start = time.perf_counter()
components = int(4 * math.log(ROWS) / (EPS**2 / 2 - EPS**3 / 3))
density = 1 / math.sqrt(DIMS)
matrix = (torch.rand(components, DIMS) < density).float() * torch.where(torch.rand(components, DIMS) < 0.5, -1.0, 1.0)
points = rows @ (matrix * math.sqrt(1 / density) / math.sqrt(components)).T
picked = int(torch.randint(ROWS, (1,)))
nearest = torch.full((ROWS,), math.inf)
picks = [picked]
for _ in range(PICKS - 1):
    distance = torch.linalg.norm(points - points[picked], dim=1)
    nearest = torch.minimum(nearest, distance)
    picked = int(nearest.argmax())
    nearest[picked] = 0
    picks.append(picked)
print(time.perf_counter() - start)
