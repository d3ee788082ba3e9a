# SPDX-License-Identifier: Apache-2.0
"""Metrics of detection against plain NumPy renderings of their definitions."""

import json
import os
import subprocess

import numpy as np
import pytest
from scipy import ndimage

PROGRAM = os.environ.get("IMATCH_LUA", os.path.join(os.path.dirname(__file__), "../../build/imatch-lua"))

SCRIPT = """
local im = require "imatch"
local folder = arg[1]
local input = im.io.read_json(folder .. "/input.json")
local result = { image = im.anomaly.image_metrics(input.scores, input.anomalous, input.threshold) }
local maps, masks = {}, {}
for i = 1, input.num_maps do
  maps[i] = im.io.read_npy(("%s/map%d.npy"):format(folder, i - 1))
  masks[i] = im.io.read_npy(("%s/mask%d.npy"):format(folder, i - 1))
end
result.pixel = im.anomaly.pixel_metrics(maps, masks, input.limit)
im.io.write_json(folder .. "/result.json", result)
"""


def run(folder, scores, anomalous, threshold, maps, masks, limit):
    for i, (map_, mask) in enumerate(zip(maps, masks)):
        np.save(folder / f"map{i}.npy", map_)
        np.save(folder / f"mask{i}.npy", mask)
    (folder / "input.json").write_text(json.dumps({
        "scores": [float(s) for s in scores], "anomalous": [bool(a) for a in anomalous], "threshold": threshold,
        "num_maps": len(maps), "limit": limit}))
    (folder / "script.lua").write_text(SCRIPT)
    subprocess.run([PROGRAM, folder / "script.lua", folder], check=True)
    return json.loads((folder / "result.json").read_text())


def auroc(scores, anomalous):
    a, n = scores[anomalous], scores[~anomalous]
    return ((a[:, None] > n).sum() + 0.5 * (a[:, None] == n).sum()) / (len(a) * len(n))


def average_precision(scores, anomalous):
    total, last = 0.0, 0.0
    for t in sorted(set(scores.tolist()), reverse=True):
        chosen = scores >= t
        recall = (chosen & anomalous).sum() / anomalous.sum()
        total += (recall - last) * (chosen & anomalous).sum() / chosen.sum()
        last = recall
    return total


def aupro(maps, masks, limit):
    regions = []
    for map_, mask in zip(maps, masks):
        labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
        regions += [map_[labels == i] for i in range(1, count + 1)]
    normal = np.concatenate([map_[mask == 0] for map_, mask in zip(maps, masks)])
    x, y = [0.0], [0.0]
    for t in np.unique(np.concatenate([m.ravel() for m in maps]))[::-1]:
        x.append((normal >= t).mean())
        y.append(np.mean([(r >= t).mean() for r in regions]))
    x, y = np.array(x), np.array(y)
    inside = x < limit
    area = np.trapezoid(np.append(y[inside], np.interp(limit, x, y)), np.append(x[inside], limit))
    return area / limit


@pytest.mark.parametrize("seed", range(3))
def test_metrics(tmp_path, seed):
    random = np.random.default_rng(seed)
    scores = np.round(random.normal(size=300), 1).astype(np.float32)  # with ties
    anomalous = random.random(300) < 0.3
    scores[anomalous] += 0.7
    maps, masks = [], []
    for i in range(4):
        mask = np.zeros((40, 50), np.uint8)
        if i < 3:
            mask[5 * i : 5 * i + 6, 10:20] = 1
            mask[30:33, 40 - i : 44] = 1
        maps.append(np.round(random.normal(size=mask.shape) + 1.5 * mask, 2).astype(np.float32))
        masks.append(mask)
    limit = (0.3, 0.05, 1.0)[seed]
    got = run(tmp_path, scores, anomalous, 0.5, maps, masks, limit)
    assert got["image"]["auroc"] == pytest.approx(auroc(scores, anomalous), abs=1e-9)
    assert got["image"]["average_precision"] == pytest.approx(average_precision(scores, anomalous), abs=1e-9)
    chosen = scores >= np.float32(0.5)
    precision, recall = (chosen & anomalous).sum() / chosen.sum(), (chosen & anomalous).sum() / anomalous.sum()
    assert got["image"]["f1"] == pytest.approx(2 * precision * recall / (precision + recall), abs=1e-9)
    flat, truth = np.concatenate([m.ravel() for m in maps]), np.concatenate([m.ravel() for m in masks]) > 0
    assert got["pixel"]["auroc"] == pytest.approx(auroc(flat, truth), abs=1e-9)
    assert got["pixel"]["aupro"] == pytest.approx(aupro(maps, masks, limit), abs=1e-6)
