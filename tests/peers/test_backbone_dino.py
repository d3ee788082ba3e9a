# SPDX-License-Identifier: Apache-2.0
"""DINOv2 and DINOv3 with random weights: Hugging Face folders against transformers, official files against transformers
with the rules of the official repositories put in where the two differ."""

import json
import math
import shutil
import subprocess
import types

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from test_backbone_dense_sift import PROGRAM, picture, working_size

transformers = pytest.importorskip("transformers")
safetensors_torch = pytest.importorskip("safetensors.torch")

TOLERANCE = 1e-4
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
SAT493M = ((0.430, 0.411, 0.296), (0.213, 0.156, 0.143))

# width, heads, MLP width, gated; depth in the tests
SHAPES = {
    "vits": (384, 6, 1536, False, 3),
    "vitb": (768, 12, 3072, False, 2),
    "vitl": (1024, 16, 4096, False, 2),
    "vitg": (1536, 24, 4096, True, 1),
    "vith": (1280, 20, 5120, True, 1),
    "vit7b": (4096, 32, 8192, True, 1),
}
DINOV2 = ["vits14", "vitb14", "vitl14", "vitg14"]
REGISTERS = [name + "_reg" for name in DINOV2]
DINOV3 = ["vits16", "vits16+", "vitb16", "vitl16", "vitl16+", "vith16+", "vit7b16", "vitl16sat", "vit7b16sat"]
CONVNEXT = {
    "cxTiny": ([3, 3, 9, 3], 96),
    "cxSmall": ([3, 3, 27, 3], 96),
    "cxBase": ([3, 3, 27, 3], 128),
    "cxLarge": ([3, 3, 27, 3], 192),
}
# In cells of the grid: square, portrait, landscape, odd and narrow.
GRIDS = [(6, 6), (4, 9), (8, 5), (7, 3)]


def shape_of(alias):
    family = next(name for name in SHAPES if alias.startswith(name))
    width, heads, mlp, gated, depth = SHAPES[family]
    return types.SimpleNamespace(width=width, heads=heads, mlp=mlp, gated=gated or "+" in alias, depth=depth)


def randomise(model):
    """Sizes that make every part count: biases, norms and layer scales of order one, tokens that are not zero."""
    generator = torch.Generator().manual_seed(7)
    for name, p in sorted(model.named_parameters()):
        noise = torch.randn(p.shape, generator=generator)
        with torch.no_grad():
            if "lambda1" in name or "gamma" in name:
                p.copy_(0.5 + 0.2 * noise)
            elif "norm" in name and name.endswith("weight"):
                p.copy_(1 + 0.2 * noise)
            elif p.ndim == 1 or "token" in name:
                p.copy_(0.3 * noise)
            elif "position" in name:
                p.copy_(0.26 * noise)
            else:
                p.copy_(noise / math.sqrt(p[0].numel()))
    return model.eval()


def vision_transformer(alias):
    s = shape_of(alias)
    common = dict(hidden_size=s.width, num_hidden_layers=s.depth, num_attention_heads=s.heads)
    if alias in DINOV3:
        bias = not alias.startswith("vit7b")
        config = transformers.DINOv3ViTConfig(
            intermediate_size=s.mlp, use_gated_mlp=s.gated, hidden_act="silu" if s.gated else "gelu", patch_size=16,
            num_register_tokens=4, query_bias=bias, value_bias=bias, **common)
        return randomise(transformers.DINOv3ViTModel(config))
    common |= dict(patch_size=14, image_size=518, mlp_ratio=4, use_swiglu_ffn=s.gated)
    if alias in DINOV2:
        return randomise(transformers.Dinov2Model(transformers.Dinov2Config(**common)))
    config = transformers.Dinov2WithRegistersConfig(num_register_tokens=4, **common)
    return randomise(transformers.Dinov2WithRegistersModel(config))


def convnext(alias):
    depths, width = CONVNEXT[alias]
    config = transformers.DINOv3ConvNextConfig(depths=depths, hidden_sizes=[width * 2**i for i in range(4)])
    return randomise(transformers.DINOv3ConvNextModel(config))


def official_vit(folder, dinov3):
    """The tensors of a saved folder under their official names, straight from the table of names."""
    saved = safetensors_torch.load_file(folder / "model.safetensors")
    layer = "layer." if dinov3 else "encoder.layer."
    depth = 1 + max(int(name[len(layer):].split(".")[0]) for name in saved if name.startswith(layer))
    patch = "embeddings.patch_embeddings" + ("" if dinov3 else ".projection")
    norm = "norm" if dinov3 else "layernorm"
    width = saved["embeddings.cls_token"].shape[2]
    state = {"cls_token": saved["embeddings.cls_token"], "mask_token": saved["embeddings.mask_token"].reshape(1, -1)}
    if "embeddings.register_tokens" in saved:
        state["storage_tokens" if dinov3 else "register_tokens"] = saved["embeddings.register_tokens"]
    if not dinov3:
        state["pos_embed"] = saved["embeddings.position_embeddings"]
    for end in ("weight", "bias"):
        state[f"patch_embed.proj.{end}"] = saved[f"{patch}.{end}"]
        state[f"norm.{end}"] = saved[f"{norm}.{end}"]
    for n in range(depth):
        old, new = f"{layer}{n}.", f"blocks.{n}."
        thirds = [f"attention.{p}_proj" for p in "qkv"] if dinov3 else [
            f"attention.attention.{p}" for p in ("query", "key", "value")]
        out = "attention.o_proj" if dinov3 else "attention.output.dense"
        for i in (1, 2):
            state[f"{new}ls{i}.gamma"] = saved[f"{old}layer_scale{i}.lambda1"]
        for end in ("weight", "bias"):
            for i in (1, 2):
                state[f"{new}norm{i}.{end}"] = saved[f"{old}norm{i}.{end}"]
            state[f"{new}attn.proj.{end}"] = saved[f"{old}{out}.{end}"]
            if end == "weight":
                state[f"{new}attn.qkv.weight"] = torch.cat([saved[f"{old}{t}.weight"] for t in thirds])
            elif f"{old}{thirds[0]}.bias" in saved:
                zero = torch.zeros(width)
                state[f"{new}attn.qkv.bias"] = torch.cat([saved.get(f"{old}{t}.bias", zero) for t in thirds])
            if not dinov3:
                names = {"fc1": "fc1", "fc2": "fc2", "w12": "weights_in", "w3": "weights_out"}
            elif f"{old}mlp.gate_proj.weight" in saved:
                names = {"w1": "gate_proj", "w2": "up_proj", "w3": "down_proj"}
            else:
                names = {"fc1": "up_proj", "fc2": "down_proj"}
            for name, hf in names.items():
                if f"{old}mlp.{hf}.{end}" in saved:
                    state[f"{new}mlp.{name}.{end}"] = saved[f"{old}mlp.{hf}.{end}"]
    return state


def official_convnext(folder):
    state = {}
    inner = {"depthwise_conv": "dwconv", "layer_norm": "norm", "pointwise_conv1": "pwconv1",
             "pointwise_conv2": "pwconv2", "gamma": "gamma"}
    for name, tensor in safetensors_torch.load_file(folder / "model.safetensors").items():
        part = name.split(".")
        if part[0] == "layer_norm":
            state[f"norm.{part[1]}"] = state[f"norms.3.{part[1]}"] = tensor
        elif part[2] == "downsample_layers":
            state[".".join(["downsample_layers", part[1], *part[3:]])] = tensor
        else:
            state[".".join(["stages", part[1], part[3], inner[part[4]], *part[5:]])] = tensor
    return state


def official_positions(position_embeddings, rows, cols, registers):
    """interpolate_pos_encoding of the official DINOv2, as formulas in float64 with dense matrices."""

    def cubic(x, a):
        x = np.abs(x)
        return np.where(x <= 1, ((a + 2) * x - (a + 3)) * x * x + 1,
                        np.where(x < 2, (((x - 5) * x + 8) * x - 4) * a, 0.0))

    def weights(n):
        matrix = np.zeros((n, 37))
        for i in range(n):
            if registers:
                stretch = max(37 / n, 1.0)
                taps = np.arange(37)
                row = cubic((taps + 0.5 - (i + 0.5) * 37 / n) / stretch, -0.5)
                matrix[i] = row / row.sum()
            else:
                source = (i + 0.5) / ((n + 0.1) / 37) - 0.5
                first = math.floor(source) - 1
                for tap in range(first, first + 4):
                    matrix[i, min(max(tap, 0), 36)] += cubic(source - tap, -0.75)
        return matrix

    table = position_embeddings.detach().double().numpy()[0]
    if rows == cols == 37:
        return torch.from_numpy(table).float()[None]
    grid = table[1:].reshape(37, 37, -1)
    grid = np.einsum("ri,cj,ijd->rcd", weights(rows), weights(cols), grid, optimize=True)
    return torch.from_numpy(np.concatenate([table[:1], grid.reshape(rows * cols, -1)])).float()[None]


def make_official(model, alias, periods=None, masks=None):
    """Puts the official rules into a transformers model."""
    if alias in DINOV3:
        model.rope_embeddings.inv_freq = 1 / periods
        for n, layer in enumerate(model.model.layer):
            if masks:
                thirds = masks[n].chunk(3)
                with torch.no_grad():
                    layer.attention.q_proj.bias.mul_(thirds[0])
                    layer.attention.v_proj.bias.mul_(thirds[2])
                    layer.attention.k_proj.bias = torch.nn.Parameter(torch.full_like(thirds[1], 0.7) * thirds[1])
        return
    embeddings = model.embeddings
    embeddings.interpolate_pos_encoding = lambda _, height, width: official_positions(
        embeddings.position_embeddings, height // 14, width // 14, alias in REGISTERS)


def pixels(image, statistics):
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in statistics)
    return ((torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255 - mean) / std)[None]


def statistics_of(alias):
    return SAT493M if alias.endswith("sat") else IMAGENET


def program(images, spec, folder, more=""):
    """Tokens and global vectors of the images, one run for all."""
    lines = []
    for n, image in enumerate(images):
        image.save(folder / f"in{n}.png")
        lines.append(f"""
          do
            local f = assert(im.backbone.features(assert(im.image.open '{folder}/in{n}.png'),
                             '{spec} device=cpu image_size={min(image.size)}{more}'))
            assert(im.io.write_npz('{folder}/out{n}.npz', {{ tokens = f:tokens(), global = f:global() }}))
            print(f:grid())
          end""")
    done = subprocess.run([PROGRAM, "--no-cache", "-e", "local im = require 'imatch'" + "".join(lines)],
                          capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    grids = [tuple(map(int, line.split()[:2])) for line in done.stdout.splitlines()]
    arrays = [np.load(folder / f"out{n}.npz") for n in range(len(images))]
    return [(a["tokens"], a["global"], grid) for a, grid in zip(arrays, grids, strict=True)]


def compare(alias, model, spec, folder, stride, grids, reference=None):
    images = [picture(cols * stride, rows * stride) for rows, cols in grids]
    worst = 0.0
    for image, (rows, cols), result in zip(images, grids, program(images, spec, folder), strict=True):
        tokens, pooled, grid = result
        with torch.inference_mode():
            x = pixels(image, statistics_of(alias))
            expected = (reference or (lambda v: model(v).last_hidden_state))(x)[0].numpy()
        assert grid == (rows, cols)
        assert tokens.shape == (rows * cols, expected.shape[1])
        worst = max(worst, np.abs(tokens - expected[-rows * cols:]).max(), np.abs(pooled - expected[0]).max())
    print(f"{alias}: {spec.split('/')[-1]}: largest difference {worst:.2e}")
    assert worst <= TOLERANCE
    return worst


def spec_of(alias, path, model):
    depth = "" if alias in CONVNEXT else f" depth={model.config.num_hidden_layers}"
    return f"{alias} weights={path}{depth}"


def saved_model(alias, folder):
    model = convnext(alias) if alias in CONVNEXT else vision_transformer(alias)
    model.save_pretrained(folder)
    return model


def stride_of(alias):
    return 32 if alias in CONVNEXT else 16 if alias in DINOV3 else 14


@pytest.mark.parametrize("alias", [*DINOV2, *REGISTERS, *DINOV3, *CONVNEXT])
def test_folder_and_file_equal_transformers_and_the_official_rules(alias, tmp_path):
    folder = tmp_path / "folder"
    model = saved_model(alias, folder)
    stride = stride_of(alias)
    grids = [(37, 37), *GRIDS] if alias == "vits14" or alias == "vits14_reg" else GRIDS
    compare(alias, model, spec_of(alias, folder, model), tmp_path, stride, grids)

    periods = masks = None
    if alias in CONVNEXT:
        state = official_convnext(folder)
    else:
        state = official_vit(folder, alias in DINOV3)
        if alias in DINOV3:
            head = model.config.hidden_size // model.config.num_attention_heads
            periods = (100 ** (4 * torch.arange(head // 4) / head)).bfloat16().float()
            state["rope_embed.periods"] = periods.bfloat16()
            if "blocks.0.attn.qkv.bias" in state:
                generator = torch.Generator().manual_seed(3)
                masks = []
                for n in range(model.config.num_hidden_layers):
                    width = model.config.hidden_size
                    state[f"blocks.{n}.attn.qkv.bias"][width : 2 * width] = 0.7
                    masks.append((torch.rand(3 * width, generator=generator) < 0.5).float())
                    state[f"blocks.{n}.attn.qkv.bias_mask"] = masks[-1]
            if alias.endswith("sat") or alias.startswith("vit7b"):
                for end in ("weight", "bias"):
                    state[f"local_cls_norm.{end}"] = torch.randn(model.config.hidden_size)
        make_official(model, alias, periods, masks)
    path = tmp_path / "official.pth"
    torch.save(state, path)
    compare(alias, model, spec_of(alias, path, model), tmp_path, stride, grids)
    shutil.rmtree(tmp_path)  # the largest have a gigabyte, and pytest keeps folders
