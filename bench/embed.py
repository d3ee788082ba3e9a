# SPDX-License-Identifier: Apache-2.0
"""The baseline of embed.lua: one image at a time is opened and resized, and goes through the network twice, once for the global
vector and once for the tokens, as the program that it stands for does; vectors are saved with their _meta.json.

    embed.py FOLDER make PHOTO...     links the photographs and writes manifest.json and key.json
    embed.py FOLDER [float]           seconds an image, without opening the network; float: PyTorch resizes, not Pillow
"""

import json
import os
import pathlib
import sys
import time

folder = pathlib.Path(sys.argv[1])
WEIGHTS = "efficientnet-lite0-57934424.pth"
SIDE = 224

if sys.argv[2:3] == ["make"]:
    photos = sys.argv[3:]
    (folder / "photos/a").mkdir(parents=True, exist_ok=True)
    for frame, photo in enumerate(photos):
        os.symlink(photo, folder / f"photos/a/a_{frame:04d}.jpg")
    key = {"datasets": {"set": {"root": "photos", "folder_template": "{capture_id}",
                                "filename_template": "{capture_id}_{frame:04d}.jpg", "images": {"a": {"label": "L"}}}},
           "weights": {"w": {"x": {"efficientnet_lite0": ["efficientnet_lite0", WEIGHTS, "LVD"]}}}}
    manifest = {"dataset_key": "set", "weight_set": "w", "query_embed_root": "out", "experiment": {"variant": {"raw": True}},
                "models": [{"weights": "efficientnet_lite0", "target_res": SIDE, "embedding_cfg": None,
                            "image_groups": [{"folder": "a", "indices": [0, len(photos) - 1]}],
                            "outputs": {name: {"npy": True, "json": True} for name in ("global", "patch", "grid")}}]}
    (folder / "key.json").write_text(json.dumps(key))
    (folder / "manifest.json").write_text(json.dumps(manifest))
    sys.exit()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from efficientnet_lite_pytorch import EfficientNet  # noqa: E402
from PIL import Image  # noqa: E402

weights = os.path.join(os.environ["IMATCH_WEIGHTS"], WEIGHTS)
network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights, image_size=(SIDE, SIDE)).eval()


@torch.inference_mode()
def tokens(x):
    y = network._swish(network._bn0(network._conv_stem(x)))
    for block in network._blocks[:11]:  # the last of stride 16
        y = block(y)
    return y[0].permute(1, 2, 0)


def pixels(path):
    image = Image.open(path).convert("RGB")
    if sys.argv[2:] != ["float"]:
        return torch.from_numpy(np.asarray(image.resize((SIDE, SIDE), Image.BICUBIC)).copy()).permute(2, 0, 1).float()[None]
    samples = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255
    return 255 * torch.nn.functional.interpolate(samples, size=(SIDE, SIDE), mode="bicubic", antialias=True, align_corners=False)


def save(name, array, meta):
    np.save(folder / f"out/{name}.npy", array)
    (folder / f"out/{name}_meta.json").write_text(json.dumps(meta | {"shape": array.shape}))


(folder / "out").mkdir(exist_ok=True)
paths = sorted((folder / "photos/a").iterdir())
tokens(torch.zeros(1, 3, SIDE, SIDE))  # warms up
start = time.perf_counter()
for path in paths:
    x = (pixels(path) - 127) / 128
    whole = tokens(x).mean((0, 1)).numpy()
    grid = tokens(x).numpy()
    meta = {"image": str(path), "config": {"target_res": SIDE}}
    save(f"GlobalToken_{path.stem}", whole, meta)
    save(f"PatchToken_{path.stem}", grid.reshape(-1, grid.shape[-1]), meta)
    save(f"PatchGrid_{path.stem}", grid, meta)
print((time.perf_counter() - start) / len(paths))
