# SPDX-License-Identifier: Apache-2.0
"""The peer of raster.lua: all surfaces along the rays of 160 x 160 pixels, by trimesh's rays with Embree behind them, or in
Python ("rtree", a part of the rays, scaled up). `raster.py FILE make` writes dm_control's dog, or a torus of as many triangles."""

import importlib.util
import pathlib
import sys
import time

import numpy as np
import trimesh

path = pathlib.Path(sys.argv[1])
if sys.argv[2] == "make":
    found = importlib.util.find_spec("dm_control")
    if found:
        data = pathlib.Path(found.submodule_search_locations[0], "suite/dog_assets/dog_skin.skn").read_bytes()
        vertices, uvs, faces, _ = np.frombuffer(data, "<i4", 4)
        positions = np.frombuffer(data, "<f4", 3 * vertices, 16).reshape(-1, 3)
        triangles = np.frombuffer(data, "<i4", 3 * faces, 16 + 12 * vertices + 8 * uvs).reshape(-1, 3)
    else:
        torus = trimesh.creation.torus(1, 0.35, 170, 100)
        positions, triangles = torus.vertices, torus.faces
    positions = positions - (positions.min(0) + positions.max(0)) / 2
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, positions=positions.astype(np.float32), triangles=triangles)
    sys.exit()

arrays = np.load(path)
mesh = trimesh.Trimesh(arrays["positions"] / np.ptp(arrays["positions"], axis=0).max(), arrays["triangles"], process=False)
eye = np.array([1.5, 0.9, 1.9])
forward = -eye / np.linalg.norm(eye)
right = np.cross(forward, [0, 1, 0])
right /= np.linalg.norm(right)
down = np.cross(forward, right)
focal = 50 / 36 * 160
row, column = np.mgrid[:160, :160]
rays = (((column.ravel() + 0.5 - 80) / focal)[:, None] * right + ((row.ravel() + 0.5 - 80) / focal)[:, None] * down + forward)
share = 1
if sys.argv[2] == "rtree":
    tracer = trimesh.ray.ray_triangle.RayMeshIntersector(mesh)
    share, rays = 16, rays[np.random.default_rng(0).permutation(len(rays))[: len(rays) // 16]]
else:
    from trimesh.ray.ray_pyembree import RayMeshIntersector

    tracer = RayMeshIntersector(mesh)
origins = np.tile(eye, (len(rays), 1))
times = []
for _ in range(1 if share > 1 else 5):
    start = time.perf_counter()
    triangle, ray, where = tracer.intersects_id(origins, rays, multiple_hits=True, max_hits=8, return_locations=True)
    times.append((time.perf_counter() - start) * share)
print(sorted(times)[len(times) // 4])
