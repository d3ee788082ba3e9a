# SPDX-License-Identifier: Apache-2.0
"""DINOv2 and DINOv3 with random weights: Hugging Face folders against transformers, official files against transformers
with the rules of the official repositories put in where the two differ."""

import hashlib
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from backbones import IMAGENET, features_of, pixels, working_size
from dino_models import (CONVNEXT, DINOV2, DINOV3, REGISTERS, convnext, make_official, official_convnext, official_vit, saved_model,
                         stride_of, transformers)
from files import read_json
from pictures import picture
from program import run, run_with_usage

TOLERANCE = 1.5e-5  # of tokens of order one; another eps shows with 4e-5 already in so few blocks
SAT493M = ((0.430, 0.411, 0.296), (0.213, 0.156, 0.143))
# In cells of the grid: square, portrait, landscape, odd and narrow.
GRIDS = [(6, 6), (4, 9), (8, 5), (7, 3)]


def statistics_of(alias):
    return SAT493M if alias.endswith("sat") else IMAGENET


def features_at_own_size(images, spec, folder, size=None):
    return features_of(images, [f"{spec} device=cpu image_size={size or min(image.size)}" for image in images], folder)


def compare(alias, model, spec, folder, stride, grids):
    images = [picture(cols * stride, rows * stride) for rows, cols in grids]
    worst = 0.0
    for image, (rows, cols), result in zip(images, grids, features_at_own_size(images, spec, folder), strict=True):
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


@pytest.mark.parametrize("alias", ["vits14", "vits16+", "vitg14", "cxTiny"])
def test_products_in_eight_bits_stay_near(alias, tmp_path):
    """Random weights leave no outliers, which are what 8 bits fear: a lower bound of what trained ones lose."""
    model = saved_model(alias, tmp_path / "folder")
    stride = stride_of(alias)
    image = picture(9 * stride, 7 * stride)
    specs = [spec_of(alias, tmp_path / "folder", model) + f" dtype={dtype}" for dtype in ("fp32", "int8")]
    (exact, _, _), (rounded, _, _) = (features_at_own_size([image], spec, tmp_path)[0] for spec in specs)
    cosine = (exact * rounded).sum(1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(rounded, axis=1)
    assert 0.99 < cosine.mean() < 1 - 1e-7 and cosine.min() > 0.98


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
    (tokens, pooled, grid), = features_at_own_size([image], spec_of(alias, folder, model), tmp_path, size)
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
        (tokens, pooled, _), = features_at_own_size([image], spec, tmp_path)
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
    (tokens, _, _), = features_at_own_size([image], f"{spec_of(alias, folder, model)} facet={facet}", tmp_path)
    assert np.abs(tokens - seen[0][0, -len(tokens):].numpy()).max() <= TOLERANCE


def test_a_folder_in_several_files_equals_the_folder_in_one(tmp_path):
    model = saved_model("vits16", tmp_path / "one")
    model.save_pretrained(tmp_path / "many", max_shard_size="4MB")
    assert len(list((tmp_path / "many").glob("*.safetensors"))) > 2
    image = picture(64, 48)
    results = [features_at_own_size([image], spec_of("vits16", tmp_path / name, model), tmp_path)[0][0] for name in ("one", "many")]
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
    (tokens, _, _), = features_at_own_size([image], spec_of(alias, folder, model), tmp_path)
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
    results = [features_at_own_size([image], spec_of(alias, folder, model), tmp_path)[0][0] for alias in ("vitl16sat", "vitl16")]
    assert np.abs(results[0] - results[1]).max() > 1000 * TOLERANCE


def backbone_check(*arguments, status=0):
    return run("--no-cache", "backbone", "check", *arguments, status=status)


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
    assert f"{sha256}, begins with the digits in the file's name" in done.stdout
    (row,) = read_json(tmp_path / "check.json")
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
    done = backbone_check(f"cxTiny={wrong}", *options, status=1)
    assert "DOES NOT begin with the digits 00000000" in done.stdout
    done = backbone_check(f"cxSmall={wrong}", *options, status=1)
    assert "'stages.2.9" in done.stderr and "is missing" in done.stderr


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
        return run_with_usage("--no-cache", script, *arguments)[2] * 2**20

    weights = sum(p.numel() for p in model.parameters()) * 4
    tokens, width = 8 * 577, 768
    # Alive at once at the widest point of a block: the stream, its norm, and the layer's widened tokens.
    activations = 4 * tokens * width * (1 + 1 + 4)
    used = peak_bytes(str(folder)) - peak_bytes()
    print(f"weights {weights / 1e6:.0f} MB, activations {activations / 1e6:.0f} MB, peak {used / 1e6:.0f} MB")
    assert used <= weights + 2 * activations
