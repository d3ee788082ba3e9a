# SPDX-License-Identifier: Apache-2.0
"""How the replaced programs make a network's input of a picture, in PyTorch, NumPy and Pillow."""

import json

import numpy as np
import torch
from PIL import Image


def resized_in_float(path, size, mode):
    """[3, height, width] of 0..1, unclamped: torch's antialiased interpolation of float32. `size`: (height, width)."""
    samples = torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1).float() / 255
    return torch.nn.functional.interpolate(samples[None], size=size, mode=mode, antialias=True, align_corners=False)[0]


def by_shorter_side(width, height, side):
    """(height, width): the shorter side becomes `side`, the longer one is rounded down."""
    return (side, int(side * width / height)) if height <= width else (int(side * height / width), side)


def normalised(samples, statistics):
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in statistics)
    return ((samples - mean) / std)[None]


def whole_patches(batch, patch):
    """What a patch embedding sees."""
    height, width = batch.shape[-2:]
    return batch[..., : height // patch * patch, : width // patch * patch]


DINOV3_PROCESSOR = {
    "image_processor_type": "DINOv3ViTImageProcessorFast", "do_resize": True, "size": {"height": 224, "width": 224}, "resample": 2,
    "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225], "do_center_crop": None, "crop_size": None, "do_convert_rgb": None, "default_to_square": True,
    "data_format": "channels_first", "disable_grouping": None, "input_data_format": None, "device": None, "return_tensors": None}
DINOV2_PROCESSOR = {
    "image_processor_type": "BitImageProcessor", "do_resize": True, "size": {"shortest_edge": 256}, "resample": 3, "do_center_crop": True,
    "crop_size": {"height": 224, "width": 224}, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True,
    "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "do_convert_rgb": True}


def write_processor(folder, entries):
    (folder / "preprocessor_config.json").write_text(json.dumps(entries))


def processed(folder, path, shorter=0):
    """The batch of one that the folder's image processor makes of a picture; `shorter`: in place of the size it names.
    DINOv3's class needs torchvision, whose resizing of float tensors is PyTorch's interpolation: done by the same steps here."""
    entries = json.loads((folder / "preprocessor_config.json").read_text())
    image = Image.open(path).convert("RGB")
    if entries["image_processor_type"] == "BitImageProcessor":
        from transformers import AutoImageProcessor

        processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
        size = {"size": {"shortest_edge": shorter}} if shorter else {}
        return processor(image, return_tensors="pt", **size)["pixel_values"]
    size = by_shorter_side(*image.size, shorter) if shorter else (entries["size"]["height"], entries["size"]["width"])
    samples = torch.from_numpy(np.array(image)).permute(2, 0, 1) * entries["rescale_factor"]
    mode = {2: "bilinear", 3: "bicubic"}[entries["resample"]]
    samples = torch.nn.functional.interpolate(samples[None], size=size, mode=mode, antialias=True, align_corners=False)[0]
    return normalised(samples, (entries["image_mean"], entries["image_std"]))
