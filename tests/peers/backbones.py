# SPDX-License-Identifier: Apache-2.0
"""What the program's backbones say of pictures, and what a network in Python gets for the same."""

import numpy as np
import torch

from program import lua

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def features_of(images, spec, folder):
    """Tokens, global vector and grid (rows, columns) of each image, one run for all. `spec` is a text, or one for each."""
    specs = [spec] * len(images) if isinstance(spec, str) else spec
    for n, image in enumerate(images):
        image.save(folder / f"in{n}.png")
    printed = lua("""
      local folder = arg[1]
      for n = 0, #arg - 2 do
        local f = assert(im.backbone.features(assert(im.image.open(folder .. "/in" .. n .. ".png")), arg[n + 2]))
        assert(im.io.write_npz(folder .. "/out" .. n .. ".npz", { tokens = f:tokens(), global = f:global() }))
        print(f:grid())
      end""", folder, *specs)
    grids = [tuple(map(int, line.split()[:2])) for line in printed.splitlines()]
    arrays = [np.load(folder / f"out{n}.npz") for n in range(len(images))]
    return [(a["tokens"], a["global"], grid) for a, grid in zip(arrays, grids, strict=True)]


def logits_of(image, spec, folder):
    image.save(folder / "in.png")
    lua("""
      local logits = assert(im.backbone.open(arg[1])):logits(assert(im.image.open(arg[2])))
      assert(im.io.write_npz(arg[3], { logits = logits }))""", spec, folder / "in.png", folder / "logits.npz")
    return np.load(folder / "logits.npz")["logits"]


def working_size(width, height, size, stride):
    """Shorter side to `size`, then both to the nearest whole strides."""
    scale = size / min(width, height)
    sides = [size if side == min(width, height) else int(side * scale + 0.5) for side in (width, height)]
    return tuple(max(int(side / stride + 0.5), 1) * stride for side in sides)


def pixels(image, statistics):
    """The batch of one that a network gets, with each channel's mean and deviation taken out."""
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in statistics)
    return ((torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255 - mean) / std)[None]
