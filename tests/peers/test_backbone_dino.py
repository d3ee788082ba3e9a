# SPDX-License-Identifier: Apache-2.0
"""DINOv2 and DINOv3 with random weights: Hugging Face folders against transformers, official files against transformers
with the rules of the official repositories put in where the two differ."""

import hashlib
import json
import math
import os
import shutil
import subprocess
import types

import numpy as np
import pytest
import torch
from PIL import Image

from test_backbone_dense_sift import PROGRAM, picture, working_size

transformers = pytest.importorskip("transformers")
safetensors_torch = pytest.importorskip("safetensors.torch")

TOLERANCE = 1.5e-5  # of tokens of order one; another eps shows with 4e-5 already in so few blocks
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


def program(images, spec, folder, size=None):
    """Tokens and global vectors of the images, one run for all."""
    lines = []
    for n, image in enumerate(images):
        image.save(folder / f"in{n}.png")
        lines.append(f"""
          do
            local f = assert(im.backbone.features(assert(im.image.open '{folder}/in{n}.png'),
                             '{spec} device=cpu image_size={size or min(image.size)}'))
            assert(im.io.write_npz('{folder}/out{n}.npz', {{ tokens = f:tokens(), global = f:global() }}))
            print(f:grid())
          end""")
    done = subprocess.run([PROGRAM, "--no-cache", "-e", "local im = require 'imatch'" + "".join(lines)],
                          capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    grids = [tuple(map(int, line.split()[:2])) for line in done.stdout.splitlines()]
    arrays = [np.load(folder / f"out{n}.npz") for n in range(len(images))]
    return [(a["tokens"], a["global"], grid) for a, grid in zip(arrays, grids, strict=True)]


def compare(alias, model, spec, folder, stride, grids):
    images = [picture(cols * stride, rows * stride) for rows, cols in grids]
    worst = 0.0
    for image, (rows, cols), result in zip(images, grids, program(images, spec, folder), strict=True):
        tokens, pooled, grid = result
        with torch.inference_mode():
            x = pixels(image, statistics_of(alias))
            expected = model(x).last_hidden_state[0].numpy()
        assert grid == (rows, cols)
        assert tokens.shape == (rows * cols, expected.shape[1])
        worst = max(worst, np.abs(tokens - expected[-rows * cols:]).max(), np.abs(pooled - expected[0]).max())
    print(f"{alias}: {spec.split('/')[-1]}: largest difference {worst:.2e}")
    assert worst <= TOLERANCE


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


@pytest.mark.parametrize("alias,size", [("vits14", 84), ("vits16", 80), ("cxTiny", 96)])
@pytest.mark.parametrize("width,height", [(131, 97), (97, 131), (113, 113)])
def test_sizes_that_are_no_multiples_are_resized_first(alias, size, width, height, tmp_path):
    folder = tmp_path / "folder"
    model = saved_model(alias, folder)
    image = picture(width, height)
    resized = image.resize(working_size(width, height, size, stride_of(alias)), Image.BICUBIC)
    (tokens, pooled, grid), = program([image], spec_of(alias, folder, model), tmp_path, size)
    assert grid == (resized.height // stride_of(alias), resized.width // stride_of(alias))
    with torch.inference_mode():
        expected = model(pixels(resized, statistics_of(alias))).last_hidden_state[0].numpy()
    assert np.abs(tokens - expected[-len(tokens):]).max() <= TOLERANCE
    assert np.abs(pooled - expected[0]).max() <= TOLERANCE


@pytest.mark.parametrize("alias", ["vits14_reg", "vits16+", "cxTiny"])
def test_every_layer_equals_the_hidden_states(alias, tmp_path):
    folder = tmp_path / "folder"
    model = saved_model(alias, folder)
    stride = stride_of(alias)
    image = picture(5 * stride, 4 * stride)
    with torch.inference_mode():
        states = model(pixels(image, statistics_of(alias)), output_hidden_states=True).hidden_states[1:]
    for layer, state in enumerate(states):
        spec = f"{spec_of(alias, folder, model)} layer={layer}"
        with torch.inference_mode():
            if alias in CONVNEXT:
                expected = state[0].flatten(1).T
                pooled_expected = expected.mean(0)
                if layer == 3:
                    expected, pooled_expected = model.layer_norm(expected), model.layer_norm(pooled_expected)
            else:
                normed = (model.norm if alias in DINOV3 else model.layernorm)(state[0])
                expected, pooled_expected = normed[5:], normed[0]
        (tokens, pooled, _), = program([image], spec, tmp_path)
        assert tokens.shape == tuple(expected.shape)
        assert np.abs(tokens - expected.numpy()).max() <= TOLERANCE
        assert np.abs(pooled - pooled_expected.numpy()).max() <= TOLERANCE


@pytest.mark.parametrize("facet", ["query", "key", "value"])
@pytest.mark.parametrize("alias", ["vits14", "vits16"])
def test_facets_equal_the_projections(alias, facet, tmp_path):
    folder = tmp_path / "folder"
    model = saved_model(alias, folder)
    stride = stride_of(alias)
    image = picture(5 * stride, 4 * stride)
    seen = []
    last = model.model.layer[-1] if alias in DINOV3 else list(model.encoder.layer)[-1]
    projection = next(m for name, m in last.named_modules() if name.endswith((f"{facet[0]}_proj", facet)))
    projection.register_forward_hook(lambda module, inputs, output: seen.append(output))
    with torch.inference_mode():
        model(pixels(image, statistics_of(alias)))
    (tokens, _, _), = program([image], f"{spec_of(alias, folder, model)} facet={facet}", tmp_path)
    assert np.abs(tokens - seen[0][0, -len(tokens):].numpy()).max() <= TOLERANCE


def test_a_folder_in_several_files_equals_the_folder_in_one(tmp_path):
    model = saved_model("vits16", tmp_path / "one")
    model.save_pretrained(tmp_path / "many", max_shard_size="4MB")
    assert len(list((tmp_path / "many").glob("*.safetensors"))) > 2
    image = picture(64, 48)
    results = [program([image], spec_of("vits16", tmp_path / name, model), tmp_path)[0][0] for name in ("one", "many")]
    assert np.array_equal(*results)


def tanh_gelu(model):
    for module in model.modules():
        for name in ("activation_fn", "act_fn"):
            if hasattr(module, name):
                setattr(module, name, torch.nn.GELU(approximate="tanh"))


def other_eps(model):
    for module in model.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.eps = 1e-5 if module.eps == 1e-6 else 1e-6


def coarse_tables(model):
    forward = model.rope_embeddings.forward
    model.rope_embeddings.forward = lambda x: tuple(table.bfloat16().float() for table in forward(x))


def released_periods(model):
    model.rope_embeddings.inv_freq = 1 / (1 / model.rope_embeddings.inv_freq).bfloat16().float()


def swapped_axes(model):
    forward = model.rope_embeddings.forward
    quarter = model.rope_embeddings.head_dim // 4

    def swapped(x):
        return tuple(torch.cat([t.narrow(1, quarter, quarter), t.narrow(1, 0, quarter)] * 2, 1) for t in forward(x))

    model.rope_embeddings.forward = swapped


def no_registers(model):
    model.embeddings.register_tokens.zero_()


def official_offset(model):
    make_official(model, "vits14")


def without_antialias(model):
    make_official(model, "vits14")  # the rule of the models without registers


FAULTS = [
    ("vits14", tanh_gelu), ("vits16", tanh_gelu), ("cxTiny", tanh_gelu),
    ("vits14", other_eps), ("vits16", other_eps), ("cxTiny", other_eps),
    ("vits14", official_offset), ("vits14_reg", without_antialias), ("vits14_reg", no_registers),
    ("vits16", no_registers), ("vits16", coarse_tables), ("vits16", released_periods), ("vits16", swapped_axes),
]


@pytest.mark.parametrize("alias,fault", FAULTS)
def test_a_fault_would_be_noticed(alias, fault, tmp_path):
    folder = tmp_path / "folder"
    model = saved_model(alias, folder)
    stride = stride_of(alias)
    image = picture(9 * stride, 4 * stride)
    (tokens, _, _), = program([image], spec_of(alias, folder, model), tmp_path)
    with torch.no_grad():
        right = model(pixels(image, statistics_of(alias))).last_hidden_state[0].numpy()
        fault(model)
        wrong = model(pixels(image, statistics_of(alias))).last_hidden_state[0].numpy()
    assert np.abs(tokens - right[-len(tokens):]).max() <= TOLERANCE
    difference = np.abs(tokens - wrong[-len(tokens):]).max()
    print(f"{alias}: {fault.__name__}: {difference:.1e}")
    assert difference > 2 * TOLERANCE


def test_the_other_normalisation_would_be_noticed(tmp_path):
    folder = tmp_path / "folder"
    model = saved_model("vitl16sat", folder)
    image = picture(64, 48)
    results = [program([image], spec_of(alias, folder, model), tmp_path)[0][0] for alias in ("vitl16sat", "vitl16")]
    assert np.abs(results[0] - results[1]).max() > 1000 * TOLERANCE


def backbone_check(*arguments):
    return subprocess.run([PROGRAM, "--no-cache", "backbone", "check", *map(str, arguments)], capture_output=True, text=True,
                          timeout=600, check=False)


def test_check_compares_the_digits_in_the_file_s_name_and_the_number_types(tmp_path):
    model = saved_model("cxTiny", tmp_path / "folder")
    state = official_convnext(tmp_path / "folder")
    plain = tmp_path / "weights.pth"
    torch.save(state, plain)
    sha256 = hashlib.sha256(plain.read_bytes()).hexdigest()
    named = plain.rename(tmp_path / f"dinov3_convnext_tiny_pretrain_lvd1689m-{sha256[:8]}.pth")
    picture(140, 100).save(tmp_path / "a.png")
    options = ("--image", tmp_path / "a.png", "--image-size", 96, "--json", tmp_path / "check.json")

    done = backbone_check(f"cxTiny={named}", *options)
    assert done.returncode == 0, done.stderr
    assert f"{sha256}, begins with the digits in the file's name" in done.stdout
    (row,) = json.loads((tmp_path / "check.json").read_text())
    assert row["sha256"] == sha256 and not row["digits_differ"]
    assert row["grid"] == {"rows": 3, "cols": 4, "dim": 768}
    drift = {d["dtype"]: d for d in row["dtypes"]}
    # What rounding the weights alone does to the same network in PyTorch is the least that a type can cost.
    image = pixels(Image.open(tmp_path / "a.png").resize((128, 96), Image.BICUBIC), IMAGENET)
    exact = model(image).last_hidden_state[0, 1:]
    for name, dtype in (("bf16", torch.bfloat16), ("fp16", torch.float16)):
        rounded = convnext("cxTiny")
        rounded.load_state_dict({k: v.to(dtype).float() for k, v in model.state_dict().items()})
        least = (rounded(image).last_hidden_state[0, 1:] - exact).abs().max().item()
        assert least / 4 < drift[name]["token_max_abs"] < 100 * least
        assert 0.9 < drift[name]["token_min_cosine"] < 1

    wrong = named.rename(tmp_path / "dinov3_convnext_tiny_pretrain_lvd1689m-00000000.pth")
    done = backbone_check(f"cxTiny={wrong}", *options)
    assert done.returncode == 1 and "DOES NOT begin with the digits 00000000" in done.stdout
    done = backbone_check(f"cxSmall={wrong}", *options)
    assert done.returncode == 1 and "'stages.2.9" in done.stderr and "is missing" in done.stderr


def test_memory_stays_within_the_weights_and_twice_the_activations_of_a_batch(tmp_path):
    """Peak memory of a batch of 8 beyond what the program takes without a network, against what PyTorch counts."""
    folder = tmp_path / "folder"
    torch.manual_seed(1)
    config = transformers.Dinov2Config(hidden_size=768, num_attention_heads=12, num_hidden_layers=12, image_size=518, patch_size=14)
    model = transformers.Dinov2Model(config).eval()
    model.save_pretrained(folder)
    script = tmp_path / "peak.lua"
    script.write_text("""
        local im = require "imatch"
        local images = {}
        for i = 1, 8 do images[i] = im.image.new(336, 336, { 20 * i, 90, 120 }) end
        if arg[1] then
          local backbone = assert(im.backbone.open("vitb14", { weights = arg[1], image_size = 336, batch_size = 8 }))
          for turn = 1, 2 do assert(backbone:features(images)) end
        end""")

    def peak_bytes(*arguments):
        child = subprocess.Popen([PROGRAM, "--no-cache", str(script), *arguments])
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        assert child.returncode == 0
        return usage.ru_maxrss * 1024

    weights = sum(p.numel() for p in model.parameters()) * 4
    tokens, width = 8 * 577, 768
    # Alive at once at the widest point of a block: the stream, its norm, and the layer's widened tokens.
    activations = 4 * tokens * width * (1 + 1 + 4)
    used = peak_bytes(str(folder)) - peak_bytes()
    print(f"weights {weights / 1e6:.0f} MB, activations {activations / 1e6:.0f} MB, peak {used / 1e6:.0f} MB")
    assert used <= weights + 2 * activations
