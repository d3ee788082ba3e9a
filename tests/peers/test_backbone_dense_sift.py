# SPDX-License-Identifier: Apache-2.0
"""dense_sift against the formulas of core/backbone/sift_grid.h in NumPy and SciPy, and against OpenCV's SIFT."""

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter1d

from backbones import features_of, working_size
from pictures import picture

CASES = [(448, 336, 8, 4), (336, 448, 16, 6), (336, 336, 5, 3), (1279, 957, 8, 4)]


def luma(image):
    return np.asarray(image).astype(np.float64) @ [0.299, 0.587, 0.114]


def dense_rootsift(grey, step, bin_size):
    """Straight from the formulas: float64, dense matrices of weights."""
    sigma = np.sqrt(max((bin_size / 3) ** 2 - 0.25, 0))
    for axis in (0, 1):
        grey = gaussian_filter1d(grey, sigma, axis=axis, mode="nearest", truncate=4.0)
    gy, gx = np.gradient(grey)
    turn = np.mod(np.arctan2(gy, gx), 2 * np.pi) * 8 / (2 * np.pi)
    distance = np.abs(turn - np.arange(8)[:, None, None])
    planes = np.hypot(gx, gy) * np.maximum(0, 1 - np.minimum(distance, 8 - distance))

    def weights(centres, length):
        u = np.arange(length) + 0.5 - np.asarray(centres)[:, None, None]
        b = ((np.arange(4) - 1.5) * bin_size)[None, :, None]
        return np.maximum(0, 1 - np.abs(u - b) / bin_size) * np.exp(-(u**2) / (2 * (2 * bin_size) ** 2))

    rows, cols = grey.shape[0] // step, grey.shape[1] // step
    wy = weights((np.arange(rows) + 0.5) * step, grey.shape[0])
    wx = weights((np.arange(cols) + 0.5) * step, grey.shape[1])
    sums = np.einsum("rby,oyx,cdx->rcbdo", wy, planes, wx, optimize=True).reshape(rows * cols, 128)
    inside = weights([step * 50.5], step * 101)  # one descriptor far from every edge
    contrast = sums.sum(1, keepdims=True) / inside.sum() ** 2
    unit = np.minimum(sums / np.linalg.norm(sums, axis=1, keepdims=True), 0.2)
    return np.sqrt(unit / unit.sum(1, keepdims=True) * contrast)


@pytest.mark.parametrize("width,height,step,bin_size", CASES)
def test_equals_the_formulas(width, height, step, bin_size, tmp_path):
    image = picture(width, height)
    (tokens, pooled, (rows, cols)), = features_of([image], f"dense_sift step={step} bin_size={bin_size}", tmp_path)
    size = working_size(width, height, 336, step)
    assert (cols * step, rows * step) == size
    resized = image if image.size == size else image.resize(size, Image.BICUBIC)
    expected = dense_rootsift(luma(resized), step, bin_size)
    assert tokens.shape == expected.shape
    assert np.abs(tokens - expected).max() < 1e-4
    assert np.abs(pooled - expected.mean(0)).max() < 1e-5


def test_is_near_opencv_sift_at_the_same_places(tmp_path):
    image = picture(448, 336)
    step, bin_size = 8, 4
    (tokens, _, (rows, cols)), = features_of([image], f"dense_sift step={step} bin_size={bin_size}", tmp_path)
    # OpenCV's pixel centres are whole numbers, and its bins are 3/2 of a key point's size.
    points = [
        cv2.KeyPoint((c + 0.5) * step - 0.5, (r + 0.5) * step - 0.5, 2 * bin_size / 3, 0)
        for r in range(rows)
        for c in range(cols)
    ]
    grey = luma(image).round().astype(np.uint8)
    kept, theirs = cv2.SIFT_create().compute(grey, points)
    assert len(kept) == rows * cols
    theirs = np.sqrt(theirs / np.maximum(theirs.sum(1, keepdims=True), 1e-9)).reshape(-1, 16, 8)
    ours = (tokens / np.linalg.norm(tokens, axis=1, keepdims=True)).reshape(-1, 16, 8)
    y_up = (-np.arange(8)) % 8  # OpenCV counts orientations the other way round
    cosine = (ours * theirs[:, :, y_up]).sum((1, 2))
    assert np.median(cosine) > 0.96
    assert np.percentile(cosine, 1) > 0.85
    assert np.median((ours * theirs).sum((1, 2))) < 0.9  # the order does matter
