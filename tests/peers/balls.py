# SPDX-License-Identifier: Apache-2.0
"""Samples for training point maps, which NumPy rasterises."""

import numpy as np
from PIL import Image

SIDE = 16


def write_sphere(root, number):
    """A ball before an orthographic camera: front and back of it, at rest around the origin and moved to the side."""
    centre = np.array([0.1 * number - 0.25, 0.05 * number, 0])
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    posed = np.stack([(x + 0.5) / SIDE * 2 - 1, 1 - (y + 0.5) / SIDE * 2], -1)
    flat = posed - centre[:2]
    inside = (flat**2).sum(-1) < 0.36
    depth = np.sqrt(np.clip(0.36 - (flat**2).sum(-1), 0, None))
    dense = np.zeros((SIDE, SIDE, 2, 7), np.float32)
    for layer, sign in enumerate((1, -1)):
        dense[..., layer, :2], dense[..., layer, 2] = flat, sign * depth
        dense[..., layer, 3:5], dense[..., layer, 5], dense[..., layer, 6] = posed, sign * depth, 1
    dense[~inside] = 0
    indices = np.argwhere(dense[..., 6] != 0)
    for folder in ("renders", "masks", f"pointmaps_{SIDE}"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    name = f"ball_{number}"
    np.savez(root / f"pointmaps_{SIDE}/{name}.npz", values=dense[tuple(indices.T)], indices=indices.astype(np.uint8),
             shape=np.array(dense.shape))
    shade = np.where(inside, 128 + 127 * depth / 0.6, 0)
    Image.fromarray(np.stack([shade, (x * 15) * inside, (y * 15) * inside], -1).astype(np.uint8)).save(root / f"renders/{name}_rgb.png")
    Image.fromarray(inside.astype(np.uint8)).save(root / f"masks/{name}_mask.png")
