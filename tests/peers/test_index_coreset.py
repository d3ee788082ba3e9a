# SPDX-License-Identifier: Apache-2.0
"""The greedy coreset against the same definition in NumPy, without projection."""

import json
import os
import subprocess

import numpy as np

PROGRAM = os.environ.get("IMATCH_LUA", os.path.join(os.path.dirname(__file__), "../../build/imatch-lua"))

SCRIPT = """
local im = require "imatch"
local ids = im.index.coreset(im.io.read_npy(arg[1]), im.io.read_json(arg[2]))
im.io.write_npy(arg[3], ids)
"""


def coreset(folder, rows, **options):
    np.save(folder / "rows.npy", rows)
    (folder / "options.json").write_text(json.dumps(options))
    (folder / "script.lua").write_text(SCRIPT)
    subprocess.run([PROGRAM, folder / "script.lua", folder / "rows.npy", folder / "options.json", folder / "ids.npy"], check=True)
    return np.load(folder / "ids.npy")


def farthest_first(rows, start, count):
    nearest = np.linalg.norm(rows - rows[start], axis=1)
    picks = [start]
    while len(picks) < count:
        picks.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.linalg.norm(rows - rows[picks[-1]], axis=1))
    return picks


def test_picks_without_projection(tmp_path):
    rows = np.random.default_rng(1).normal(size=(3000, 50)).astype(np.float32)
    for seed in (0, 1):
        ids = coreset(tmp_path, rows, ratio=0.05, project=False, seed=seed)
        assert len(ids) == 150
        assert ids.tolist() == farthest_first(rows.astype(np.float64), int(ids[0]), 150)


def test_a_dropped_start_changes_the_first_pick_only(tmp_path):
    rows = np.random.default_rng(2).normal(size=(2000, 30)).astype(np.float32)
    kept = coreset(tmp_path, rows, ratio=0.05, project=False, seed=3)
    dropped = coreset(tmp_path, rows, ratio=0.05, project=False, seed=3, start="dropped")
    assert kept[1:].tolist() == dropped[:-1].tolist()


def test_the_projection_covers_nearly_as_well(tmp_path):
    random = np.random.default_rng(4)
    rows = (random.normal(size=(4000, 20)) @ random.normal(size=(20, 600))).astype(np.float32)
    rows[::100] *= 3  # what is rare and far off is what a coreset must not miss, and chance does

    def radius(ids):
        nearest = np.full(len(rows), np.inf)
        for i in ids:
            nearest = np.minimum(nearest, np.linalg.norm(rows - rows[i], axis=1))
        return nearest.max()

    exact = radius(coreset(tmp_path, rows, ratio=0.02, project=False))
    projected = radius(coreset(tmp_path, rows, ratio=0.02))
    assert projected < 1.25 * exact
    chance = radius(random.permutation(len(rows))[:80])
    assert projected < chance
