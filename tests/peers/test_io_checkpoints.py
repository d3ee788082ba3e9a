# SPDX-License-Identifier: Apache-2.0
"""Checkpoints as the published trainers write them: the same network, whatever is around it."""

import argparse
import enum

import numpy
import pytest
import torch

from program import lua


class Mode(enum.Enum):
    FAST = 1


@pytest.fixture(scope="module")
def network():
    """A small DINOv2 with random weights, in the official names."""
    torch.manual_seed(3)
    width, state = 384, {}
    state["cls_token"], state["mask_token"] = torch.randn(1, 1, width), torch.zeros(1, width)
    state["pos_embed"] = torch.randn(1, 1 + 37 * 37, width)
    state["patch_embed.proj.weight"], state["patch_embed.proj.bias"] = torch.randn(width, 3, 14, 14) / 20, torch.randn(width)
    for i in range(2):
        b = f"blocks.{i}."
        for name, shape in {"norm1.weight": (width,), "norm1.bias": (width,), "attn.qkv.weight": (3 * width, width), "attn.qkv.bias": (3 * width,),
                            "attn.proj.weight": (width, width), "attn.proj.bias": (width,), "ls1.gamma": (width,), "norm2.weight": (width,),
                            "norm2.bias": (width,), "mlp.fc1.weight": (4 * width, width), "mlp.fc1.bias": (4 * width,),
                            "mlp.fc2.weight": (width, 4 * width), "mlp.fc2.bias": (width,), "ls2.gamma": (width,)}.items():
            state[b + name] = torch.randn(shape) / 20
    state["norm.weight"], state["norm.bias"] = torch.ones(width), torch.zeros(width)
    return state


def class_token(path):
    """The image's vector and the rule by which the file was unwrapped."""
    printed = lua(f"""
local image = im.image.new(84, 84)
local backbone, message = im.backbone.open('vits14', {{ weights = '{path}', image_size = 84, device = 'cpu' }})
if not backbone then print(message) return end
local vector = im.backbone.features(image, backbone):global():to_table()
print(backbone:weights_rule())
for i = 1, 5 do print(('%.6f'):format(type(vector[1]) == 'table' and vector[1][i] or vector[i])) end""").splitlines()
    assert len(printed) == 6, printed
    return [float(v) for v in printed[1:]], printed[0]


def prefixed(state, prefix):
    return {prefix + name: tensor for name, tensor in state.items()}


def chunked(state):
    """As DINOv2's block_chunks=2 names them: chunk, then the index that counts through."""
    return {name.replace("blocks.0.", "blocks.0.0.").replace("blocks.1.", "blocks.1.1."): t for name, t in state.items()}


def test_what_trainers_write_is_unwrapped(network, tmp_path):
    torch.save(network, tmp_path / "plain.pth")
    expected, rule = class_token(tmp_path / "plain.pth")
    assert rule == ""
    head = {"head.weight": torch.randn(10, 384), "head.bias": torch.randn(10)}
    student = {name: torch.zeros_like(t) for name, t in network.items()}
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(3))]).state_dict()
    files = {
        # DINOv2's SSLMetaArch: the teacher of the evaluation.
        "teacher": ({"teacher": {**prefixed(chunked(network), "backbone."), "dino_head.mlp.0.weight": torch.zeros(2)}}, "teacher.backbone."),
        "both": ({"model": {**prefixed(student, "student.backbone."), **prefixed(network, "teacher.backbone.")}, "iteration": 3}, "teacher.backbone."),
        # DINO's main_dino.py.
        "dino": ({"student": prefixed(student, "module.backbone."), "teacher": prefixed(network, "backbone."), "optimizer": optimizer,
                  "epoch": 7, "args": argparse.Namespace(lr=0.1, device=torch.device("cpu"), mode=Mode.FAST),
                  "dino_loss": {"center": torch.zeros(1, 4)}}, "teacher.backbone."),
        # Distributed data parallel, torch.compile, a classifier on top.
        "ddp": ({"state_dict": {**prefixed(network, "module."), **prefixed(head, "module.")}, "best": numpy.float64(0.5)}, "state_dict.module."),
        "compiled": (prefixed({**network, **head}, "_orig_mod."), ""),
        # Lightning; timm's average.
        "lightning": ({"state_dict": prefixed(network, "model.backbone."), "pytorch-lightning_version": "2.4", "callbacks": {Mode.FAST: 1}},
                      "model.backbone."),
        "ema": ({"state_dict": student, "state_dict_ema": network, "metric": numpy.float32(1)}, "state_dict_ema."),
    }
    for name, (content, prefix) in files.items():
        torch.save(content, tmp_path / f"{name}.pth")
        got, rule = class_token(tmp_path / f"{name}.pth")
        assert got == expected, name
        assert prefix in rule, (name, rule)
    assert "without 'head.'" in class_token(tmp_path / "ddp.pth")[1]


@pytest.mark.parametrize("side", [16, 28, 73])
def test_other_grids_of_positions(network, side, tmp_path):
    """That of a folder is compared with transformers below; here, that the file's own grid is what is taken."""
    state = dict(network)
    state["pos_embed"] = torch.randn(1, 1 + side * side, 384)
    torch.save(state, tmp_path / "w.pth")
    vector, _ = class_token(tmp_path / "w.pth")
    state["pos_embed"] = torch.randn(1, 1 + side * side, 384)
    torch.save(state, tmp_path / "v.pth")
    assert class_token(tmp_path / "v.pth")[0] != vector


def test_what_is_not_the_network_is_listed(network, tmp_path):
    torch.save({"model": {"conv1.weight": torch.zeros(3), "fc.weight": torch.zeros(3)}}, tmp_path / "w.pth")
    message = lua(f"print(im.backbone.open('vits14', {{ weights = '{tmp_path}/w.pth', device = 'cpu' }}))")
    assert "'patch_embed.proj.weight' is missing; the file holds 'model' (2 tensors)" in message


@pytest.mark.parametrize("side", [224, 392, 1022])
def test_hugging_face_folders_old_and_new(side, tmp_path):
    """Trained at `side` px, so that the table of positions has its grid; looked at in that size and, interpolated, at 336 px."""
    transformers, safetensors_torch = pytest.importorskip("transformers"), pytest.importorskip("safetensors.torch")
    torch.manual_seed(1)
    config = transformers.Dinov2Config(hidden_size=384, num_hidden_layers=2, num_attention_heads=6, image_size=side, patch_size=14)
    model = transformers.Dinov2ForImageClassification(config).eval()
    torch.nn.init.normal_(model.dinov2.embeddings.position_embeddings, std=0.5)
    model.save_pretrained(tmp_path / "new")
    (tmp_path / "old").mkdir()
    (tmp_path / "old/config.json").write_text((tmp_path / "new/config.json").read_text())
    torch.save(safetensors_torch.load_file(tmp_path / "new/model.safetensors"), tmp_path / "old/pytorch_model.bin")
    for size in {min(side, 392), 336}:
        with torch.no_grad():
            pixels = torch.zeros(1, 3, size, size)
            for c, (mean, std) in enumerate(zip((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))):
                pixels[:, c] = -mean / std
            peer = model.dinov2(pixels).pooler_output[0, :5].tolist()
        for path in ("new", "old", "new/model.safetensors", "old/pytorch_model.bin") if size == 336 else ("new",):
            printed = lua(f"""
local backbone = assert(im.backbone.open('vits14', {{ weights = '{tmp_path}/{path}', image_size = {size}, device = 'cpu' }}))
local vector = im.backbone.features(im.image.new({size}, {size}), backbone):global():to_table()
print(backbone:weights_rule())
for i = 1, 5 do print(('%.6f'):format(type(vector[1]) == 'table' and vector[1][i] or vector[i])) end""").splitlines()
            assert "dinov2." in printed[0]
            assert [float(v) for v in printed[1:]] == pytest.approx(peer, abs=2e-4), (path, size)
