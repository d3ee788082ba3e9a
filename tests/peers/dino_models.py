# SPDX-License-Identifier: Apache-2.0
"""DINOv2 and DINOv3 of transformers with random weights, their tensors under the official names, and the rules in which the
official programs differ from transformers."""

import math
import types

import numpy as np
import pytest
import torch

transformers = pytest.importorskip("transformers")
safetensors_torch = pytest.importorskip("safetensors.torch")

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


def saved_model(alias, folder):
    model = convnext(alias) if alias in CONVNEXT else vision_transformer(alias)
    model.save_pretrained(folder)
    return model


def stride_of(alias):
    return 32 if alias in CONVNEXT else 16 if alias in DINOV3 else 14
