# SPDX-License-Identifier: Apache-2.0
"""Pictures to test with: random ones, and the photographs below IMATCH_TEST_DATA (fixture `data`)."""

import numpy as np
from PIL import Image


def picture(width, height):
    """Edges and texture at several scales, in colour."""
    rng = np.random.default_rng(width * height)
    layers = []
    for cell in (3, 11, 37, 120):
        small = rng.integers(0, 256, (height // cell + 2, width // cell + 2, 3), dtype=np.uint8)
        layers.append(np.asarray(Image.fromarray(small).resize((width, height), Image.BICUBIC)).astype(np.float64))
    mixed = 0.15 * layers[0] + 0.25 * layers[1] + 0.3 * layers[2] + 0.3 * layers[3]
    return Image.fromarray(mixed.clip(0, 255).astype(np.uint8))


def blotches(rng, cells, size):
    """Smooth colour of `cells` (columns, rows) drawn from `rng`, at `size` (width, height)."""
    small = rng.integers(0, 256, (cells[1], cells[0], 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size, Image.BICUBIC)


def photographs(folder):
    """Files of a folder of photographs in the order of their names."""
    paths = sorted(folder.glob("*.[jJ][pP]*[gG]"))
    assert paths, f"{folder}: no photographs"
    return paths
