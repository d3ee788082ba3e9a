# SPDX-License-Identifier: Apache-2.0
"""What rows of bench/run have to do at least, and what the machine can do of it a second (limits.cpp)."""

import math
import subprocess

# Blocks of EfficientNet-Lite0: repeats, kernel, stride, expansion, channels (TensorFlow's efficientnet_lite_builder.py).
LITE0 = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
         (1, 3, 1, 6, 320)]


def dinov2_operations(width, tokens=577, patch_px=14, depth=12):
    """Of a forward pass, a multiply-add being two: patches, and in each block the linear layers (qkv, projection, twice the
    four times wider one) and the two products of attention."""
    linear, attention = 12 * tokens * width * width, 2 * tokens * tokens * width
    return 2 * ((tokens - 1) * 3 * patch_px**2 * width + depth * (linear + attention))


def lite0_operations(rows_px, cols_px):
    """Of a forward pass to stage 32, without the head."""
    rows, cols, channels = math.ceil(rows_px / 2), math.ceil(cols_px / 2), 32
    products = rows * cols * 27 * channels
    for repeats, kernel, stride, expansion, out in LITE0:
        for repeat in range(repeats):
            wide = channels * expansion
            if expansion > 1:
                products += rows * cols * channels * wide
            if repeat == 0:
                rows, cols = math.ceil(rows / stride), math.ceil(cols / stride)
            products += rows * cols * wide * (kernel * kernel + out)
            channels = out
    return 2 * products


class Limits:
    """Rates of this machine: {"fp32", "int8": operations a second, "memory": bytes a second}, each the greatest that has been
    measured so far: what else runs on it makes it slower now and then, and a limit is what it can do."""

    def __init__(self, sources, scratch):
        self.program = f"{scratch}/limits"
        self.greatest = {}
        command = ["c++", "-O2", "-std=c++20", "-march=native", "-pthread", str(sources / "limits.cpp"), "-o", self.program]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            self.program = None
            print(f"no limits: {' '.join(command)}: {getattr(error, 'stderr', '') or error}".strip())

    def measure(self):
        if not self.program:
            return {}
        done = subprocess.run([self.program], check=True, capture_output=True, text=True)
        for name, rate in zip(("fp32", "int8", "memory"), map(float, done.stdout.split())):
            self.greatest[name] = max(rate, self.greatest.get(name, 0))
        return self.greatest
