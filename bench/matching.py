# SPDX-License-Identifier: Apache-2.0
"""The baseline of matching.lua: the matrix product alone. `matching.py FOLDER make` writes the tokens for both."""

import os
import statistics
import sys
import time

import numpy as np
import torch

TURNS = 15
folder = sys.argv[1]

if sys.argv[2:] == ["make"]:
    os.makedirs(folder, exist_ok=True)
    for seed, name in enumerate("ab"):
        np.save(f"{folder}/{name}.npy", np.random.default_rng(seed).normal(size=(2304, 1024)).astype(np.float32))
    sys.exit()

a, b = (torch.from_numpy(np.load(f"{folder}/{name}.npy")) for name in "ab")
product = torch.empty(2304, 2304)
columns = b.t()
torch.mm(a, columns, out=product)
times = []
for _ in range(TURNS):
    start = time.perf_counter()
    torch.mm(a, columns, out=product)
    times.append(time.perf_counter() - start)
print(statistics.median(times))
