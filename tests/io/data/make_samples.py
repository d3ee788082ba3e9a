# SPDX-License-Identifier: Apache-2.0
"""Writes the sample files of this folder with PyTorch, NumPy and safetensors; io tests read them.

    python3 make_samples.py        (torch 2.13, numpy 2, safetensors 0.5 or later)
"""
import collections
import pathlib

import numpy
import safetensors.torch
import torch

here = pathlib.Path(__file__).parent


class SmallNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(2, 3, 1)
        self.norm = torch.nn.BatchNorm1d(2)
        with torch.no_grad():
            self.conv.weight.copy_(torch.arange(6).reshape(3, 2, 1, 1) * 0.5)
            self.conv.bias.copy_(torch.tensor([1.0, -2.0, 3.0]))


def every_dtype():
    return {
        "float64": torch.tensor([0.1, -2.5], dtype=torch.float64),
        "float32": torch.tensor([0.1, -2.5]),
        "float16": torch.tensor([0.5, -2.5], dtype=torch.float16),
        "bfloat16": torch.tensor([0.5, -2.5], dtype=torch.bfloat16),
        "int64": torch.tensor([-(2**62), 3]),
        "int32": torch.tensor([-70000, 3], dtype=torch.int32),
        "int16": torch.tensor([-300, 3], dtype=torch.int16),
        "int8": torch.tensor([-3, 3], dtype=torch.int8),
        "uint8": torch.tensor([250, 3], dtype=torch.uint8),
        "bool": torch.tensor([True, False]),
    }


def checkpoint():
    base = torch.arange(12.0).reshape(3, 4)
    return {
        "model": SmallNet().state_dict(),  # an OrderedDict with _metadata
        "dtypes": collections.OrderedDict(every_dtype()),
        "views": {"base": base, "transposed": base.t(), "column": base[:, 1], "corner": base[1:, 2:],
                  "expanded": torch.tensor([7.0]).expand(3), "empty": torch.empty(0, 5), "scalar": torch.tensor(2.5)},
        "parameter": torch.nn.Parameter(torch.tensor([1.5])),
        "list": [torch.tensor([1]), (torch.tensor([2]), 3)],
        "step": 7, "large": 2**40, "negative": -5, "rate": 0.25, "name": "tést", "flags": (True, False, None),
        "blob": b"\x00\xff\x80", "nothing": b"", "size": torch.Size([2, 3]), "dtype": torch.float16, 3: "three",
    }


torch.save(checkpoint(), here / "checkpoint_zip.pth")
torch.save(checkpoint(), here / "checkpoint_legacy.pth", _use_new_zipfile_serialization=False)
torch.save(checkpoint(), here / "checkpoint_zip_protocol5.pth", pickle_protocol=5)
safetensors.torch.save_file(every_dtype(), here / "dtypes.safetensors", metadata={"format": "pt"})
numpy.save(here / "matrix.npy", numpy.arange(6, dtype=numpy.float32).reshape(2, 3))
numpy.save(here / "fortran.npy", numpy.asfortranarray(numpy.arange(6, dtype=numpy.int64).reshape(2, 3)))
numpy.savez_compressed(here / "arrays.npz", a=numpy.arange(4), b=numpy.zeros((100, 3), numpy.uint8))
