# SPDX-License-Identifier: Apache-2.0
"""Normal and damaged crops of the textures that come with scikit-image (CC0): brick, grass, gravel, 512 x 512 px, grey.

Normal crops of 224 px are cut from the upper half to train with, others from the lower half to test on; the same crops of
the lower half are damaged in one of four ways (KINDS): a scratch of 5 x 120 px, a round blob of 28 px, a stain (Gaussian of
25 px, darker by 60 % of the range of levels), or a patch of 56 px of another texture, the one before it in NAMES. Two ways
more (HARD) are so much like the texture itself that they tell how far a network sees: a shade (Gaussian of 25 px that takes
60 % of the light and leaves the texture) and a patch of 56 px of the texture behind it in NAMES, of which gravel in grass is
hard for people as well.
"""

import importlib.util
import pathlib

import numpy as np
from PIL import Image, ImageDraw

SIDE = 224
NAMES = ("brick", "grass", "gravel")
KINDS = ("scratch", "blob", "stain", "foreign")
HARD = ("shade", "similar")


def folder():
    """Where the pictures lie; None without the wheel. It is not imported: that would take SciPy and a second."""
    spec = importlib.util.find_spec("skimage")
    if spec is None:
        return None
    data = pathlib.Path(spec.submodule_search_locations[0]) / "data"
    return data if all((data / f"{name}.png").exists() for name in NAMES) else None


def texture(name):
    return np.asarray(Image.open(folder() / f"{name}.png").convert("L")).astype(np.float32)


def crop(picture, random, top, bottom):
    y = int(random.integers(top, bottom - SIDE + 1))
    x = int(random.integers(0, picture.shape[1] - SIDE + 1))
    return picture[y : y + SIDE, x : x + SIDE].copy()


def damage(picture, kind, name, random):
    """A crop of the texture `name` after damage, and its mask."""
    mask = Image.new("L", (SIDE, SIDE))
    x, y = (int(v) for v in random.integers(45, SIDE - 45, size=2))
    if kind == "scratch":
        angle = random.random() * np.pi
        dx, dy = 60 * np.cos(angle), 60 * np.sin(angle)
        x, y = (int(v) for v in random.integers(65, SIDE - 65, size=2))
        ImageDraw.Draw(mask).line((x - dx, y - dy, x + dx, y + dy), fill=255, width=5)
        where = np.asarray(mask) > 0
        picture[where] = 255 if picture.mean() < 128 else 20
    elif kind == "blob":
        ImageDraw.Draw(mask).ellipse((x - 14, y - 14, x + 14, y + 14), fill=255)
        where = np.asarray(mask) > 0
        picture[where] = 0.15 * picture[where] + 0.85 * (230 if picture.mean() < 128 else 30)
    elif kind in ("stain", "shade"):
        ys, xs = np.mgrid[:SIDE, :SIDE]
        strength = 0.6 * np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * 25**2))
        picture -= strength * (255 if kind == "stain" else picture)
        where = strength > 0.2
    else:
        other = texture(NAMES[(NAMES.index(name) + (-1 if kind == "foreign" else 1)) % len(NAMES)])
        part = crop(other, random, 0, other.shape[0])[:56, :56]
        picture[y - 28 : y + 28, x - 28 : x + 28] = part
        where = np.zeros((SIDE, SIDE), bool)
        where[y - 28 : y + 28, x - 28 : x + 28] = True
    return picture, where


def write(root, name, num_train=40, num_test=20, seed=0, kinds=KINDS + HARD):
    """A data set in MVTec AD's layout below `root`."""
    random = np.random.default_rng(seed)
    picture = texture(name)
    height = picture.shape[0]

    def save(pixels, *parts):
        path = pathlib.Path(root, *parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)

    for i in range(num_train):
        save(crop(picture, random, 0, height // 2), "train", "good", f"{i:03}.png")
    for i in range(num_test):
        save(crop(picture, random, height // 2, height), "test", "good", f"{i:03}.png")
    for kind in kinds:
        for i in range(num_test // 2):
            pixels, where = damage(crop(picture, random, height // 2, height), kind, name, random)
            save(pixels, "test", kind, f"{i:03}.png")
            save(where * 255, "ground_truth", kind, f"{i:03}_mask.png")
