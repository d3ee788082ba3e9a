#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Vision transformers on a GPU: ours (gpu_check --throughput) beside transformers, eager and with torch.compile, in one run.

  bench/gpu_peers.py [--check build-gpu/tests/gpu/gpu_check] [--device cuda|cpu] [--limit-s 400] [--models vits14,vitb14]

The peers have random weights: how fast they are does not depend on them. Images lie on the device, in bf16; batches as in
gpu_check's table. torch.compile takes its time before the first result, so no new measurement begins after --limit-s; what
is left out is told. Prints a table in Markdown; times behind "/" are milliseconds of one image.
"""
import argparse
import re
import subprocess
import sys
import time

import torch
import transformers

# name: heads, width, layers, feed-forward width, patch, image, batch
MODELS = {
    "vits14": (6, 384, 12, 1536, 14, 336, 64),
    "vitb14": (12, 768, 12, 3072, 14, 336, 64),
    "vitl14": (16, 1024, 24, 4096, 14, 336, 32),
    "vits16": (6, 384, 12, 1536, 16, 1024, 16),
    "vitb16": (12, 768, 12, 3072, 16, 1024, 16),
    "vitl16": (16, 1024, 24, 4096, 16, 1024, 8),
}
LINE = re.compile(
    r"bf16 (\S+) +(\d+) px +batch (\d+) +resident +([\d.]+) images/s +with copies +([\d.]+) images/s +([\d.]+) % of "
    r"the matrix rate +one image +([\d.]+) ms +recorded +([\d.]+) ms"
)


def model_named(name):
    heads, width, layers, wide, patch, image, _ = MODELS[name]
    if patch == 14:
        config = transformers.Dinov2Config(
            hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, mlp_ratio=wide // width, patch_size=patch,
            image_size=518, attn_implementation="sdpa")
        return transformers.Dinov2Model(config)
    config = transformers.DINOv3ViTConfig(
        hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=wide, patch_size=patch,
        image_size=image, num_register_tokens=4, attn_implementation="sdpa")
    return transformers.DINOv3ViTModel(config)


def seconds(device, call, calls=1, rounds=3, before=3):
    """Of one call: the median of rounds."""
    wait = torch.cuda.synchronize if device.startswith("cuda") else lambda: None
    for _ in range(before):
        call()
    times = []
    for _ in range(rounds):
        wait()
        start = time.perf_counter()
        for _ in range(calls):
            call()
        wait()
        times.append((time.perf_counter() - start) / calls)
    return sorted(times)[len(times) // 2]


@torch.inference_mode()
def measure(forward, device, image, batch, calls):
    """Images a second, and milliseconds of one image."""
    images = torch.randn(batch, 3, image, image, dtype=torch.bfloat16, device=device)
    rate = batch / seconds(device, lambda: forward(images), calls)
    one = seconds(device, lambda: forward(images[:1].contiguous()), 1, 20 if calls > 1 else 1, 5 if calls > 1 else 1)
    return rate, 1000 * one


def ours(check, device):
    """name -> (resident, with copies, share, one image, recorded); what gpu_check prints is passed on."""
    rows = {}
    extent = ["--quick"] if device == "cpu" else []
    process = subprocess.Popen([check, "--throughput", "--device", device, *extent], stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        print(line, end="", flush=True)
        if found := LINE.search(line):
            rows[found[1]] = tuple(float(found[i]) for i in range(4, 9))
    if process.wait() != 0:
        sys.exit(f"gpu_peers: {check} failed")
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", default="build-gpu/tests/gpu/gpu_check")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--limit-s", type=float, default=400)
    parser.add_argument("--models", default=",".join(MODELS))
    arguments = parser.parse_args()
    device, started = arguments.device, time.monotonic()
    on_gpu = device != "cpu"
    if on_gpu:
        torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = True
        print(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}, transformers {transformers.__version__}")
    rows, left_out = ours(arguments.check, device), []

    print("\n| | ours, images/s / one image | with copies | matrix rate | transformers | torch.compile | ours / eager |"
          " ours / compile |\n| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in arguments.models.split(","):
        *_, image, batch = MODELS[name]
        if not on_gpu:  # as gpu_check --quick, so that the script itself can be tried
            image, batch = 112 if name.endswith("14") else 128, 2
        cells = {}
        for kind in ("eager", "compile"):
            if time.monotonic() - started > arguments.limit_s:
                left_out.append(f"{name} {kind}")
                continue
            torch.compiler.reset()
            network = model_named(name).to(device=device, dtype=torch.bfloat16).eval()
            if kind == "compile":
                network = torch.compile(network, dynamic=False)  # for each of the two batches: one for both takes longer
            cells[kind] = measure(lambda x: network(pixel_values=x).last_hidden_state, device, image, batch, 8 if on_gpu else 1)
            del network
        mine = rows.get(name)
        text = [name, f"{mine[0]:.0f} / {min(mine[3], mine[4]):.2f} ms" if mine else "", f"{mine[1]:.0f}" if mine else "",
                f"{mine[2]:.1f} %" if mine else ""]
        text += [f"{cells[k][0]:.0f} / {cells[k][1]:.2f} ms" if k in cells else "" for k in ("eager", "compile")]
        text += [f"{mine[0] / cells[k][0]:.2f}" if mine and k in cells else "" for k in ("eager", "compile")]
        print("| " + " | ".join(text) + " |", flush=True)
    if left_out:
        print(f"not measured within {arguments.limit_s:.0f} s: {', '.join(left_out)}")


if __name__ == "__main__":
    main()
