# SPDX-License-Identifier: Apache-2.0
"""What networks of DINOv2 and DINOv3 get of a photograph, and which vector stands for it: options interpolation, arithmetic and
global against PyTorch, and resize = 'processor' against the image processors of transformers. Random weights."""


import numpy as np
import pytest
import torch
from PIL import Image

from backbones import IMAGENET, features_of
from dino_models import CONVNEXT, DINOV3, make_official, official_convnext, official_vit, saved_model, stride_of
from preprocessing import (DINOV2_PROCESSOR, DINOV3_PROCESSOR, by_shorter_side, normalised, processed, resized_in_float,
                           whole_patches, write_processor)
from program import lua

TOLERANCE = 3e-5
ALIASES = ["vits14", "vits14_reg", "vits16", "cxTiny"]


@pytest.fixture(scope="module")
def photographs(data, tmp_path_factory):
    """Landscape and portrait, as JPEG files."""
    folder = tmp_path_factory.mktemp("photographs")
    image = Image.open(data / "brighton_beach/DJI_0020.jpg").convert("RGB")
    image.resize((1281, 959)).save(folder / "a.jpg", quality=92)
    image.crop((0, 0, 700, 900)).resize((487, 731)).save(folder / "b.jpg", quality=92)
    return [folder / "a.jpg", folder / "b.jpg"]


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    """By alias: the model by the official rules and a specification that opens its file."""
    made = {}

    def of(alias):
        if alias not in made:
            folder = tmp_path_factory.mktemp("weights")
            model = saved_model(alias, folder / "hf")
            state, periods = official_convnext(folder / "hf") if alias in CONVNEXT else official_vit(folder / "hf", alias in DINOV3), None
            if alias in DINOV3:
                width = model.config.hidden_size
                head = width // model.config.num_attention_heads
                periods = (100 ** (4 * torch.arange(head // 4) / head)).bfloat16().float()
                state["rope_embed.periods"] = periods
                for n in range(model.config.num_hidden_layers):
                    state[f"blocks.{n}.attn.qkv.bias_mask"] = torch.ones(3 * width)
            if alias not in CONVNEXT:
                make_official(model, alias, periods)
            torch.save(state, folder / "official.pth")
            depth = "" if alias in CONVNEXT else f" depth={model.config.num_hidden_layers}"
            made[alias] = model, f"{alias} weights={folder}/official.pth{depth} device=cpu"
        return made[alias]

    return of


def all_tokens(model, batch, alias):
    """Before the final norm, of the last block: class token, registers and patches; and the patches and class token behind it."""
    with torch.inference_mode():
        output = model(batch, output_hidden_states=True)
    states, final = output.hidden_states[-1][0], output.last_hidden_state[0]
    if alias in CONVNEXT:
        patches = states.flatten(1).T
        return torch.cat([patches.mean(0, keepdim=True), patches]), final[1:], final[0]
    return states, final[-(batch.shape[2] // stride_of(alias)) * (batch.shape[3] // stride_of(alias)):], final[0]


def opened(photographs, spec, folder):
    return features_of([Image.open(path).convert("RGB") for path in photographs], spec, folder)


def largest(array, tensor):
    assert array.shape == tuple(tensor.shape)
    return np.abs(array - tensor.numpy()).max()


@pytest.mark.parametrize("alias", ALIASES)
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_float_arithmetic_is_that_of_antialiased_interpolation(alias, mode, official, photographs, tmp_path):
    """The shorter side as in run (it is no multiple of a ConvNeXt's 32 px), and a square as in embed."""
    model, spec = official(alias)
    sampling = f"interpolation={mode} arithmetic=float global=mean_prenorm"
    for frame, size_of in (("image_size=240 resize=shorter_cut", lambda image: by_shorter_side(*image.size, 240)),
                           ("image_size=224 resize=exact", lambda image: (224, 224))):
        found = opened(photographs, f"{spec} {frame} {sampling}", tmp_path)
        for path, (tokens, vector, grid) in zip(photographs, found, strict=True):
            size = size_of(Image.open(path))
            batch = normalised(resized_in_float(path, size, mode), IMAGENET)
            before, patches, _ = all_tokens(model, whole_patches(batch, 4 if alias in CONVNEXT else stride_of(alias)), alias)
            assert grid == (size[0] // stride_of(alias), size[1] // stride_of(alias))
            differences = largest(tokens, patches), largest(vector, before.mean(0))
            print(f"{alias} {frame} {mode}: {differences[0]:.1e} {differences[1]:.1e}")
            assert max(differences) <= TOLERANCE


@pytest.mark.parametrize("alias", ALIASES)
def test_8_bits_are_those_of_pillow_in_either_filter(alias, official, photographs, tmp_path):
    model, spec = official(alias)
    for mode, of_pillow in (("bilinear", Image.BILINEAR), ("bicubic", Image.BICUBIC), ("area", Image.BOX)):
        (tokens, _, _), *_ = opened(photographs, f"{spec} image_size=224 resize=exact interpolation={mode}", tmp_path)
        pixels = np.array(Image.open(photographs[0]).convert("RGB").resize((224, 224), of_pillow))
        batch = normalised(torch.from_numpy(pixels).permute(2, 0, 1).float() / 255, IMAGENET)
        assert largest(tokens, all_tokens(model, batch, alias)[1]) <= TOLERANCE


@pytest.mark.parametrize("alias", ALIASES)
def test_global_vectors(alias, official, photographs, tmp_path):
    model, spec = official(alias)
    batch = normalised(resized_in_float(photographs[0], (224, 224), "bilinear"), IMAGENET)
    before, patches, class_token = all_tokens(model, batch, alias)
    expected = {"class": class_token, "mean_patches": patches.mean(0), "mean_prenorm": before.mean(0),
                "gem": patches.clamp_min(1e-6).pow(3).mean(0).pow(1 / 3)}
    specs = [f"{spec} image_size=224 resize=exact interpolation=bilinear arithmetic=float global={name}" for name in expected]
    found = opened([photographs[0]] * len(specs), specs, tmp_path)
    for (name, tensor), (_, vector, _) in zip(expected.items(), found, strict=True):
        assert largest(vector, tensor) <= TOLERANCE, name
    assert np.abs(found[0][1] - found[2][1]).max() > 100 * TOLERANCE  # they are not the same


PROCESSORS = [
    ("vits16", DINOV3_PROCESSOR, 0),
    ("vits16", DINOV3_PROCESSOR, 250),
    ("vits16", DINOV3_PROCESSOR | {"resample": 3, "size": {"height": 200, "width": 260}, "image_mean": [0.43, 0.411, 0.296]}, 0),
    ("vits16", DINOV3_PROCESSOR | {"rescale_factor": 1 / 127.5, "image_std": [0.5, 0.6, 0.7]}, 0),
    ("cxTiny", DINOV3_PROCESSOR, 250),
    ("vits14", DINOV2_PROCESSOR, 0),
    ("vits14", DINOV2_PROCESSOR, 301),
    ("vits14", DINOV2_PROCESSOR | {"resample": 2, "crop_size": {"height": 231, "width": 199}}, 300),
    ("vits14", DINOV2_PROCESSOR | {"do_center_crop": False}, 225),
    ("vits14", DINOV2_PROCESSOR | {"size": {"height": 230, "width": 300}, "do_normalize": False}, 0),
    ("vits14", DINOV2_PROCESSOR | {"do_rescale": False, "image_mean": [123.0, 117.0, 104.0], "image_std": [58.0, 57.0, 57.0]}, 0),
    ("vits14", DINOV2_PROCESSOR | {"do_resize": False, "crop_size": {"height": 400, "width": 500}}, 0),
    ("vits14_reg", DINOV2_PROCESSOR | {"crop_size": {"height": 280, "width": 289}}, 201),  # black around it
]


@pytest.mark.parametrize("alias,entries,shorter", PROCESSORS)
def test_processor_is_that_of_transformers(alias, entries, shorter, photographs, tmp_path):
    folder = tmp_path / "folder"
    model = saved_model(alias, folder)
    write_processor(folder, entries)
    depth = "" if alias in CONVNEXT else f" depth={model.config.num_hidden_layers}"
    spec = f"{alias} weights={folder}{depth} device=cpu resize=processor image_size={shorter}"
    for path, (tokens, vector, _) in zip(photographs, opened(photographs, spec, tmp_path), strict=True):
        batch = processed(folder, path, shorter)
        with torch.inference_mode():
            output = model(batch)
        patches = (batch.shape[2] // stride_of(alias)) * (batch.shape[3] // stride_of(alias))
        assert largest(tokens, output.last_hidden_state[0, -patches:]) <= TOLERANCE
        assert largest(vector, output.pooler_output[0]) <= TOLERANCE


def test_specification_says_what_the_processor_decided_and_the_digest_covers_it(tmp_path):
    folder = tmp_path / "folder"
    model = saved_model("vits16", folder)
    spec = f"vits16 weights={folder} depth={model.config.num_hidden_layers} resize=processor"
    code = "local b = assert(im.backbone.open(arg[1])) print(b:spec()) print(b:weights_sha256())"
    digests = []
    for resample in (2, 3):
        write_processor(folder, DINOV3_PROCESSOR | {"resample": resample})
        said, digest = lua(code, spec).split("\n")[:2]
        assert f"resize=processor interpolation={'bilinear' if resample == 2 else 'bicubic'} arithmetic=float" in said
        digests.append(digest)
    assert digests[0] != digests[1]


@pytest.mark.parametrize("entries,message", [
    ({"do_flip": True}, "'do_flip' is not understood, its value is true"),
    ({"image_processor_type": "ViTImageProcessor"}, "'ViTImageProcessor' is not allowed"),
    ({"resample": 1}, "'resample' is 1; expected 2 (bilinear) or 3 (bicubic)"),
    ({"size": {"longest_edge": 300}}, "'size' is {\"longest_edge\":300}; expected"),
    ({"size": {"shortest_edge": 0}}, "'size' is {\"shortest_edge\":0}; expected sides of 1 to 4096 px"),
    ({"crop_size": {"shortest_edge": 3}, "do_center_crop": True}, "crop_size: expected {height, width}"),
    ({"image_mean": [0.5, 0.5]}, "'image_mean' is [0.5,0.5]; expected three numbers"),
    ({"image_std": [0.5, 0.5, 0]}, "'image_std' is [0.5,0.5,0]; expected numbers greater than 0"),
    ({"do_rescale": "yes"}, "'do_rescale'"),
    ({"do_pad": True}, "'do_pad' is true; expected false"),
])
def test_entries_that_are_not_understood_are_refused(entries, message, tmp_path):
    folder = tmp_path / "folder"
    saved_model("vits16", folder)
    write_processor(folder, DINOV3_PROCESSOR | entries)
    said = lua("print(select(2, im.backbone.open(arg[1])))", f"vits16 weights={folder} depth=3 resize=processor")
    assert message in said, said


def test_processor_needs_its_file(tmp_path):
    saved_model("vits16", tmp_path / "folder")
    code = "local ok, a, b = pcall(im.backbone.open, arg[1]) print(a, b)"
    said = lua(code, f"vits16 weights={tmp_path}/folder depth=3 resize=processor")
    assert "preprocessor_config.json: no such file" in said and "shorter_cut" in said
    said = lua(code, f"vits16 weights={tmp_path}/folder/model.safetensors depth=3 resize=processor")
    assert "'processor' is not allowed with the file" in said
    assert "image_size: 0 is not allowed" in lua(code, f"vits16 weights={tmp_path}/folder depth=3 image_size=0")
