# SPDX-License-Identifier: Apache-2.0
"""The peer of inspect.lua: the exported graph alone in a loop, as benchmark_app measures latency, on an input that is ready.
`inspect_loop.py FOLDER make` draws the pictures that the model is trained with: leaves of noise, 40 of them."""

import pathlib
import sys
import time

import numpy as np

folder = pathlib.Path(sys.argv[1])

if sys.argv[2:] == ["make"]:
    import cv2

    (folder / "data").mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for i in range(40):
        noise = random.normal(size=(224, 224, 3)).astype(np.float32)
        layers = sum(cv2.GaussianBlur(noise, (0, 0), sigma) * sigma for sigma in (0.7, 2, 6))
        cv2.imwrite(str(folder / f"data/{i:03}.png"), np.clip(127 + 60 * layers, 0, 255).astype(np.uint8))
    sys.exit()

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / ".deps/python/openvino"))
import openvino as ov  # noqa: E402

settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 2, "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False}
request = ov.Core().compile_model(folder / "model/model.xml", "CPU", settings).create_infer_request()
request.set_input_tensor(ov.Tensor(np.random.default_rng(0).normal(size=(1, 3, 224, 224)).astype(np.float32)))
times = []
for i in range(220):
    start = time.perf_counter()
    request.infer()
    if i >= 20:
        times.append(time.perf_counter() - start)
print(np.quantile(times, 0.1))  # as inspect.lua
