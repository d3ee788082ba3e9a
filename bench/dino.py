# SPDX-License-Identifier: Apache-2.0
"""The baselines of dino.lua: the same random weights in transformers (eager), OpenVINO and ONNX Runtime, all float32.

    dino.py FOLDER make                            writes the weights, and the networks as ONNX
    dino.py FOLDER ALIAS BATCH PEER                seconds an image, from 8-bit pixels; PEER: transformers, openvino, onnxruntime
"""

import os
import pathlib
import statistics
import sys
import time

import numpy as np
import torch

SIDE, TURNS = 336, 5
SHAPES = {"vits14": (384, 6), "vitb14": (768, 12)}
MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
CORES = len(os.sched_getaffinity(0))


def make(folder):
    import transformers

    folder.mkdir(parents=True, exist_ok=True)
    for alias, (width, heads) in SHAPES.items():
        torch.manual_seed(5)
        config = transformers.Dinov2Config(hidden_size=width, num_attention_heads=heads, num_hidden_layers=12, image_size=518,
                                           patch_size=14)
        model = transformers.Dinov2Model(config).eval()
        model.save_pretrained(folder / alias)
        model.set_attn_implementation("eager")  # plain operators are what the exporter knows
        for batch in (1, 8):
            torch.onnx.export(model, (torch.zeros(batch, 3, SIDE, SIDE),), folder / f"{alias}_{batch}.onnx",
                              input_names=["pixels"], output_names=["tokens"], opset_version=18, dynamo=False)


def forward_of(folder, alias, batch, library):
    """Pixels [N, 3, H, W] normalised -> tokens."""
    if library == "transformers":
        import transformers

        model = transformers.Dinov2Model.from_pretrained(folder / alias).eval()

        @torch.inference_mode()
        def forward(x):
            return model(torch.from_numpy(x)).last_hidden_state.numpy()

        return forward
    path = str(folder / f"{alias}_{batch}.onnx")
    if library == "onnxruntime":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = CORES
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return lambda x: session.run(["tokens"], {"pixels": x})[0]
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / ".deps/python/openvino"))
    import openvino

    compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": CORES})
    return lambda x: compiled(x)[0]


def main():
    folder = pathlib.Path(sys.argv[1])
    if sys.argv[2] == "make":
        return make(folder)
    alias, batch, library = sys.argv[2], int(sys.argv[3]), sys.argv[4]
    forward = forward_of(folder, alias, batch, library)
    images = np.stack([np.full((SIDE, SIDE, 3), (20 * i, 255 - 20 * i, 120), np.uint8) for i in range(1, batch + 1)])
    times = []
    for _ in range(TURNS + 1):
        start = time.perf_counter()
        x = np.ascontiguousarray(((images / np.float32(255) - MEAN) / STD).transpose(0, 3, 1, 2))
        tokens = forward(x)
        times.append(time.perf_counter() - start)
    assert tokens.shape[:2] == (batch, 577), tokens.shape
    print(statistics.median(times[1:]) / batch)  # the first turn warms up


main()
