# SPDX-License-Identifier: Apache-2.0
"""ResNets with random weights against a plain PyTorch rendering with torchvision's names of tensors."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from backbones import IMAGENET, features_of, logits_of, pixels
from pictures import picture

TOLERANCE = 1e-4
MODELS = {"resnet18": ([2, 2, 2, 2], None), "resnet50": ([3, 4, 6, 3], 64), "wide_resnet50_2": ([3, 4, 6, 3], 128)}


class Block(nn.Module):
    """Two 3 x 3 convolutions, or 1 x 1, 3 x 3, 1 x 1 with an inner width of `base` per 64."""

    def __init__(self, channels, planes, stride, base):
        super().__init__()
        inner, out = (planes, planes) if base is None else (planes * base // 64, 4 * planes)
        sizes = [(3, stride), (3, 1)] if base is None else [(1, 1), (3, stride), (1, 1)]
        widths = [channels] + [inner] * (len(sizes) - 1) + [out]
        for n, (kernel, step) in enumerate(sizes, 1):
            conv = nn.Conv2d(widths[n - 1], widths[n], kernel, step, kernel // 2, bias=False)
            self.add_module(f"conv{n}", conv)
            self.add_module(f"bn{n}", nn.BatchNorm2d(widths[n]))
        self.last = len(sizes)
        if stride != 1 or channels != out:
            self.downsample = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        self.out = out

    def forward(self, x):
        y = x
        for n in range(1, self.last + 1):
            y = getattr(self, f"bn{n}")(getattr(self, f"conv{n}")(y))
            if n < self.last:
                y = y.relu()
        return (y + (self.downsample(x) if hasattr(self, "downsample") else x)).relu()


class ResNet(nn.Module):
    def __init__(self, depths, base):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        channels = 64
        for layer, depth in enumerate(depths):
            blocks = []
            for n in range(depth):
                blocks.append(Block(channels, 64 << layer, 2 if n == 0 and layer else 1, base))
                channels = blocks[-1].out
            self.add_module(f"layer{layer + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(channels, 1000)

    def maps(self, x):
        x = functional.max_pool2d(self.bn1(self.conv1(x)).relu(), 3, 2, 1)
        maps = []
        for layer in range(1, 5):
            x = getattr(self, f"layer{layer}")(x)
            maps.append(x)
        return maps


def make(name, folder):
    model = ResNet(*MODELS[name]).eval()
    generator = torch.Generator().manual_seed(5)
    state = model.state_dict()
    for key, tensor in state.items():
        noise = torch.randn(tensor.shape, generator=generator)
        if key.endswith("running_var"):
            tensor.copy_(0.5 + noise.abs())
        elif tensor.ndim > 1:
            tensor.copy_(noise * math.sqrt(2 / tensor[0].numel()))
        elif "bn" in key and key.endswith("weight") or "downsample.1.weight" in key:
            tensor.copy_(0.5 + 0.1 * noise)
        elif tensor.is_floating_point():
            tensor.copy_(0.1 * noise)
    torch.save(state, folder / "weights.pth")
    return model


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("width,height", [(96, 96), (64, 104), (136, 72)])
def test_every_layer_and_their_stack(name, width, height, tmp_path):
    model = make(name, tmp_path)
    image = picture(width, height)
    with torch.inference_mode():
        maps = model.maps(pixels(image, IMAGENET))
        exact = model.double().maps(pixels(image, IMAGENET).double())
    for layers in (["layer2"], ["layer2", "layer3"], ["layer1", "layer4"]):
        numbers = [int(layer[-1]) - 1 for layer in layers]
        names = ",".join(f'"{layer}"' for layer in layers)
        spec = f"{name} device=cpu weights={tmp_path}/weights.pth image_size={min(image.size)} layers=[{names}]"
        (tokens, pooled, grid), = features_of([image], spec, tmp_path)

        def stack(of):
            size = of[numbers[0]].shape[2:]
            parts = [functional.interpolate(of[n], size=size, mode="bilinear") for n in numbers]
            return torch.cat(parts, 1)[0].flatten(1).T.numpy(), of[numbers[-1]].mean((2, 3))[0].numpy()

        expected, expected_pooled = stack(exact)
        assert grid == tuple(exact[numbers[0]].shape[2:])
        tolerance = max(TOLERANCE, 2 * np.abs(stack(maps)[0] - expected).max())
        assert tolerance < 1e-3
        worst = np.abs(tokens - expected).max()
        print(f"{name} {layers}: {worst:.1e} of {np.abs(expected).max():.1f}")
        assert worst <= tolerance
        assert np.abs(pooled - expected_pooled).max() <= tolerance


@pytest.mark.parametrize("name", MODELS)
def test_logits(name, tmp_path):
    model = make(name, tmp_path)
    image = picture(128, 96)
    with torch.inference_mode():
        expected = model.fc(model.maps(pixels(image, IMAGENET))[3].mean((2, 3))).numpy()
    logits = logits_of(image, f"{name} device=cpu image_size=96 weights={tmp_path}/weights.pth", tmp_path)
    assert np.abs(logits - expected).max() <= TOLERANCE
    assert logits.argmax() == expected.argmax()
