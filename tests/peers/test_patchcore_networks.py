# SPDX-License-Identifier: Apache-2.0
"""PatchCore on vision transformers, ConvNeXt and a user's network: what is exported is what was trained, for OpenVINO too."""

import json
import sys
import warnings

import numpy as np
import pytest
import torch
from dino_models import convnext, vision_transformer
from PIL import Image

from pictures import picture
from program import ROOT, lua, run

sys.path.insert(0, str(ROOT / ".deps/python/openvino"))
ov = pytest.importorskip("openvino")
pytest.importorskip("onnx")

SIDE = 224
# alias, options of the backbone, spatial grid of a picture
DINO = [
    ("vits14", "layers=[0,2]", 16),
    ("vits14_reg", "layer=1", 16),
    ("vits16", "layers=[0,1,2]", 14),
    ("vits16+", "layer=1 facet=key", 14),
    ("cxTiny", "layers=[2,3]", 28),
]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    whole = np.asarray(picture(900, 700))
    random = np.random.default_rng(2)
    for i in range(10):
        y, x = random.integers(0, 700 - SIDE), random.integers(0, 900 - SIDE)
        Image.fromarray(whole[y : y + SIDE, x : x + SIDE]).save(folder / f"{i}.png")
    return folder


def parity_of(model):
    report = json.loads((model / "parity.json").read_text())
    assert report["holds"] and report["pictures"] == 12
    assert report["float32"]["largest_relative_difference"] <= 1e-3
    return report


def scores_agree(model, name, photo, tmp_path):
    """OpenVINO's Python on the exported files, against the model in LibTorch."""
    image = np.asarray(Image.open(photo)).astype(np.float32).transpose(2, 0, 1)[None] / 255
    mean = np.array([0.485, 0.456, 0.406], np.float32).reshape(1, 3, 1, 1)
    std = np.array([0.229, 0.224, 0.225], np.float32).reshape(1, 3, 1, 1)
    compiled = ov.Core().compile_model(str(model / f"{name}.xml"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    result = compiled((image - mean) / std)
    run("--quiet", "patchcore", "infer", model, photo, "--engine", "libtorch", "--out", tmp_path)
    [row] = json.loads((tmp_path / "results.json").read_text())
    assert result["pred_score"][0] == pytest.approx(row["score"], rel=1e-3)
    assert result["anomaly_map"].shape == (1, 1, SIDE, SIDE)


@pytest.mark.parametrize(("alias", "options", "grid"), DINO, ids=[line[0] for line in DINO])
def test_dino_networks_are_exported(photos, tmp_path, alias, options, grid):
    weights = tmp_path / "weights"
    module = convnext(alias) if alias.startswith("cx") else vision_transformer(alias)
    module.save_pretrained(weights)
    depth = "" if alias.startswith("cx") else " depth=3"
    run("--quiet", "patchcore", "train", "--data-dir", photos, "--output", tmp_path, "--pattern-name", "net",
        "--coreset-ratio", "0.1", "--backbone", f"{alias} weights={weights} {options}{depth}")
    parity_of(tmp_path / "net")
    scores_agree(tmp_path / "net", "net", photos / "3.png", tmp_path / "out")


def test_a_users_onnx_network_is_exported(photos, tmp_path):
    torch.manual_seed(1)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 24, 8, stride=8), torch.nn.GELU(), torch.nn.Conv2d(24, 32, 3, padding=1), torch.nn.ReLU()).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, (torch.zeros(1, 3, SIDE, SIDE),), str(tmp_path / "net.onnx"), dynamo=False,
                          input_names=["images"], output_names=["map"], dynamic_axes={"images": {0: "n", 2: "h", 3: "w"}})
    run("--quiet", "patchcore", "train", "--data-dir", photos, "--output", tmp_path, "--pattern-name", "net",
        "--coreset-ratio", "0.1", "--backbone", f"onnx file={tmp_path / 'net.onnx'} layout=nchw stride=8")
    parity_of(tmp_path / "net")
    scores_agree(tmp_path / "net", "net", photos / "3.png", tmp_path / "out")
