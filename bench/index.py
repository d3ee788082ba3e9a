# SPDX-License-Identifier: Apache-2.0
"""The baseline of index.lua: the faiss-cpu wheel on the same files. `index.py FOLDER make` writes them."""

import os
import statistics
import sys
import time

import faiss
import numpy as np

folder, kind = sys.argv[1:3]

if kind == "make":
    os.makedirs(folder, exist_ok=True)
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(500, 256)).astype(np.float32)

    def vectors(n):
        x = centres[rng.integers(0, 500, n)] + 0.7 * rng.normal(size=(n, 256)).astype(np.float32)
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    base = vectors(100_000)
    np.save(f"{folder}/queries.npy", vectors(1000))
    np.save(f"{folder}/query.npy", vectors(1))
    flat = faiss.IndexFlatIP(256)
    flat.add(base)
    faiss.write_index(flat, f"{folder}/flat.faiss")
    graph = faiss.IndexHNSWFlat(256, 16, faiss.METRIC_INNER_PRODUCT)
    graph.add(base[:50_000])
    faiss.write_index(graph, f"{folder}/hnsw.faiss")
    sys.exit()

turns = 60 if kind == "flat" else 7
index = faiss.read_index(f"{folder}/{'hnsw' if kind == 'hnsw' else 'flat'}.faiss")
if kind == "hnsw":
    index.hnsw.efSearch = 64
queries = np.load(f"{folder}/{'query' if kind == 'flat' else 'queries'}.npy")
index.search(queries, 10)
times = []
for _ in range(turns):
    start = time.perf_counter()
    index.search(queries, 10)
    times.append(time.perf_counter() - start)
print(statistics.median(times))
