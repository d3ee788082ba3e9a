#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Steps a second of training the published dual point map network in PyTorch, eagerly: what gpu_check's are compared with.

    bench/point_map_training.py [--steps 20] [--batch 12] [--only bf16] [--device cuda]

The same layers, loss, clipping and Adam as core/nn/unet.cpp, core/pointmap/loss.cpp and core/train/adam.cpp; random features and
targets. PyTorch and nothing else is needed.
"""

import argparse
import time

import torch
from torch import nn
from torch.nn import functional as F


def norm(channels):
    return nn.GroupNorm(min(32, channels // 4), channels, eps=1e-6)


class Block(nn.Module):
    def __init__(self, before, after, resample=None, attention=False):
        super().__init__()
        self.resample, self.attention = resample, attention
        self.norm0, self.conv0 = norm(before), nn.Conv2d(before, after, 3, padding=1)
        self.norm1, self.conv1 = norm(after), nn.Conv2d(after, after, 3, padding=1)
        self.skip = nn.Conv2d(before, after, 1) if before != after or resample else nn.Identity()
        if attention:
            self.norm2, self.qkv, self.proj = norm(after), nn.Conv2d(after, 3 * after, 1), nn.Conv2d(after, after, 1)

    def resampled(self, x):
        if self.resample == "down":
            return F.avg_pool2d(x, 2)
        return F.interpolate(x, scale_factor=2, mode="nearest") if self.resample == "up" else x

    def forward(self, x):
        h = self.conv0(self.resampled(F.silu(self.norm0(x))))
        h = self.conv1(F.dropout(F.silu(self.norm1(h)), 0.1, self.training))
        x = (h + self.skip(self.resampled(x))) * 0.5**0.5
        if self.attention:
            q, k, v = self.qkv(self.norm2(x)).flatten(2).unflatten(1, (-1, 3)).permute(2, 0, 3, 1)
            found = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)
            x = (self.proj(found) + x) * 0.5**0.5
        return x


class UNet(nn.Module):
    def __init__(self, channels, out, side, base=128, multipliers=(1, 2, 2, 2), blocks=2, attention_at=(16,)):
        super().__init__()
        widths = [base * m for m in multipliers]
        sides = [side >> level for level in range(len(widths))]
        self.down, self.up, skips, width = nn.ModuleList(), nn.ModuleList(), [], widths[0]
        for level, after in enumerate(widths):
            self.down.append(nn.Conv2d(channels, width, 3, padding=1) if level == 0 else Block(width, width, "down"))
            skips.append(width)
            for _ in range(blocks):
                self.down.append(Block(width, after, attention=sides[level] in attention_at))
                width = after
                skips.append(width)
        for level in reversed(range(len(widths))):
            if level == len(widths) - 1:
                self.up.extend([Block(width, width, attention=True), Block(width, width)])
            else:
                self.up.append(Block(width, width, "up"))
            for i in range(blocks + 1):
                block = Block(width + skips.pop(), widths[level], attention=i == blocks and sides[level] in attention_at)
                block.joins = True
                self.up.append(block)
                width = widths[level]
        self.norm, self.conv = norm(width), nn.Conv2d(width, out, 3, padding=1)

    def forward(self, x):
        skips = []
        for layer in self.down:
            x = layer(x)
            skips.append(x)
        for block in self.up:
            x = block(torch.cat([x, skips.pop()], 1) if getattr(block, "joins", False) else x)
        return self.conv(F.silu(self.norm(x)))


class DualPointMap(nn.Module):
    def __init__(self, side):
        super().__init__()
        self.canonical, self.depth = UNet(64, 3, side), UNet(3, 29, side)

    def forward(self, features):
        first = self.canonical(features)
        rest = self.depth(first.detach())
        return torch.cat([first, rest], 1)  # canonical xyz of layer 1, then all else


def loss_of(output, target):
    maps, wanted = output.float().unflatten(1, (-1, 8)), target.unflatten(1, (-1, 7))
    there = wanted[:, :, 6]
    error = (maps[:, :, :6] - wanted[:, :, :6]).square().sum(2) / 2
    more = maps[:, :, 7].exp()
    points = (((more + 1) * error - torch.log1p(more)) * there).sum() / there.sum()
    entropy = F.binary_cross_entropy_with_logits(maps[:, :, 6], there.clamp(0.01, 0.99), reduction="none")
    return points + (entropy * there[:, :1]).sum() / there[:, :1].sum() / there.shape[1]


def steps_a_second(arguments, dtype, side=160):
    device = torch.device(arguments.device)
    network = DualPointMap(side).to(device).train()
    assert sum(p.numel() for p in network.parameters()) == 70_075_040
    adam = torch.optim.Adam(network.parameters(), lr=6e-4)
    features = torch.randn(arguments.batch, 64, side, side, device=device)
    target = torch.randn(arguments.batch, 4, 7, side, side, device=device) * 0.3
    target[:, :, 6] = (target[:, :, 6] > 0).float()
    target = (target * target[:, :, 6:]).flatten(1, 2)
    for step in range(-2, arguments.steps):
        if step == 0:
            if device.type == "cuda":
                torch.cuda.synchronize()
            start = time.perf_counter()
        adam.zero_grad(set_to_none=True)
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            loss = loss_of(network(features), target)
        loss.backward()
        nn.utils.clip_grad_value_(network.parameters(), 1.0)
        adam.step()
        loss.item()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return arguments.steps / (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--only", choices=("fp32", "tf32", "bf16"), help="one number type; all three by default")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    kinds = {"fp32": ("fp32", torch.float32, False), "tf32": ("fp32 by TF32", torch.float32, True),
             "bf16": ("bf16", torch.bfloat16, True)}
    for name, dtype, tf32 in [kinds[arguments.only]] if arguments.only else kinds.values():
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        print(f"PyTorch {torch.__version__}, 160 px, batch {arguments.batch}, {name}: {steps_a_second(arguments, dtype):.3g} steps/s",
              flush=True)


if __name__ == "__main__":
    main()
