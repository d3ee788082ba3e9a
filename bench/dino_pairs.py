# SPDX-License-Identifier: Apache-2.0
"""The baseline of dino_pairs.lua: for each pair it opens both images and runs the network four times, twice for the class tokens and
twice for the patch tokens, as the program that it stands for does; again for every threshold, since nothing is kept.

    dino_pairs.py WEIGHTS OUT THRESHOLDS IMAGE...

A pair takes as long as any other: the first six are run and stand for all, so the seconds printed are those of loading (once a
threshold) and of six pairs, scaled to every ordered pair.
"""

import itertools
import json
import pathlib
import sys
import time

start = time.perf_counter()
import numpy as np  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from PIL import Image  # noqa: E402

SIDE, PATCH, MEASURED = 336, 14, 6
MEAN, STD = (torch.tensor(v).view(1, 3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))

weights, out, thresholds, paths = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
model = transformers.Dinov2Model.from_pretrained(weights).eval()
loading = time.perf_counter() - start


def pixels(path):
    x = torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)[None].float() / 255
    height, width = x.shape[2:]
    size = (SIDE, int(SIDE * width / height)) if height <= width else (int(SIDE * height / width), SIDE)
    x = torch.nn.functional.interpolate(x, size=size, mode="bilinear", antialias=True, align_corners=False)
    height, width = (side // PATCH * PATCH for side in size)
    return (x[..., :height, :width] - MEAN) / STD


@torch.inference_mode()
def match(path_a, path_b, threshold):
    a, b = pixels(path_a), pixels(path_b)
    whole_a, whole_b = model(a).last_hidden_state[0, 0], model(b).last_hidden_state[0, 0]
    tokens_a, tokens_b = model(a).last_hidden_state[0, 1:], model(b).last_hidden_state[0, 1:]
    unit_a = torch.nn.functional.normalize(tokens_a, dim=1)
    unit_b = torch.nn.functional.normalize(tokens_b, dim=1)
    similarity = unit_a @ unit_b.T
    of_a, of_b = similarity.max(1), similarity.max(0)
    i = torch.arange(len(unit_a))
    i = i[(of_b.indices[of_a.indices] == i) & (of_a.values >= threshold)]
    return {"cosine": torch.nn.functional.cosine_similarity(whole_a, whole_b, 0).item(), "idx_a": i.tolist(),
            "idx_b": of_a.indices[i].tolist(), "similarities": of_a.values[i].tolist()}


pairs = list(itertools.permutations(paths, 2))
out.mkdir(parents=True, exist_ok=True)
match(*pairs[0], 0.1)  # warms up
start = time.perf_counter()
for k, (a, b) in enumerate(pairs[:MEASURED]):
    (out / f"{k}.json").write_text(json.dumps(match(a, b, 0.1)))
a_pair = (time.perf_counter() - start) / MEASURED
print(thresholds * (loading + a_pair * len(pairs)))
