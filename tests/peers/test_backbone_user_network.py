# SPDX-License-Identifier: Apache-2.0
"""Networks of users: vision transformers of transformers as ONNX (one file, and with external data), OpenVINO's format and
TorchScript give the tokens and the vector that PyTorch gives."""

import sys
import warnings

import numpy as np
import pytest
import torch

from backbones import IMAGENET
from pictures import picture
from program import ROOT, run

transformers = pytest.importorskip("transformers")
onnx = pytest.importorskip("onnx")
sys.path.insert(0, str(ROOT / ".deps/python/openvino"))
openvino = pytest.importorskip("openvino")

TOLERANCE = 1e-4
MEAN, STD = np.array(IMAGENET, np.float32)
HEIGHT, WIDTH = 96, 144


class Outputs(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images):
        outputs = self.model(pixel_values=images, return_dict=True)
        return outputs.last_hidden_state, outputs.pooler_output


def dinov2():
    config = transformers.Dinov2Config(
        hidden_size=64, num_hidden_layers=2, num_attention_heads=4, patch_size=8, image_size=96, layerscale_value=0.5
    )
    return transformers.Dinov2Model(config), 8, 1


def dinov3():
    config = transformers.DINOv3ViTConfig(
        hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4, patch_size=16, num_register_tokens=4,
        layerscale_value=0.5,
    )
    return transformers.DINOv3ViTModel(config), 16, 5


@pytest.fixture(scope="module", params=[dinov2, dinov3], ids=["dinov2", "dinov3"])
def network(request, tmp_path_factory):
    """The folder of a network's files and what PyTorch gives for the picture."""
    folder = tmp_path_factory.mktemp("network")
    torch.manual_seed(5)
    model, stride, prefix = request.param()
    module = Outputs(model).eval()
    image = picture(WIDTH, HEIGHT)
    image.save(folder / "picture.png")
    images = torch.from_numpy(((np.asarray(image) / np.float32(255) - MEAN) / STD).transpose(2, 0, 1)[None].astype(np.float32))
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tokens, pooled = module(images)
        axes = {"images": {0: "n", 2: "h", 3: "w"}}
        torch.onnx.export(
            module, (images,), folder / "m.onnx", input_names=["images"], output_names=["tokens", "pooled"], dynamo=False,
            opset_version=17, dynamic_axes=axes,
        )
        torch.jit.trace(module, (images,)).save(folder / "m.pt")
        openvino.save_model(openvino.convert_model(module, example_input=images), folder / "m.xml", compress_to_fp16=False)
    onnx.save_model(
        onnx.load(folder / "m.onnx"), folder / "external.onnx", save_as_external_data=True, location="external.data",
        size_threshold=0,
    )
    return folder, stride, prefix, tokens[0, prefix:].numpy(), tokens[0, 0].numpy(), pooled[0].numpy()


SCRIPT = """
local im = require "imatch"
local kind, file, tokens, global, stride, prefix, out = ...
local options = { file = file, tokens = tokens, stride = tonumber(stride), prefix_tokens = tonumber(prefix), resize = "keep" }
if global ~= "" then options.global = global end
local backbone, message, code = im.backbone.open(kind, options)
if not backbone then print(code, message) os.exit(3) end
local features = backbone:features(assert(im.image.open(out .. "/picture.png")))
assert(im.io.write_npz(out .. "/out.npz", { tokens = features:tokens(), global = features:global() }))
print(backbone:weights_sha256())
"""


def open_and_run(kind, file, folder, stride, prefix, tokens="0", global_="", status=0):
    script = folder / "script.lua"
    script.write_text(SCRIPT)
    return run("--no-cache", "--quiet", script, kind, file, tokens, global_, stride, prefix, folder, status=status)


@pytest.mark.parametrize("kind, name", [("onnx", "m.onnx"), ("onnx", "external.onnx"), ("onnx", "m.xml"), ("torchscript", "m.pt")])
def test_tokens_and_vector(network, kind, name):
    folder, stride, prefix, tokens, first, pooled = network
    # Each names its outputs in its own way.
    output, vector = ("tokens", "pooled") if name.endswith(".onnx") else ("0", "1")
    for global_, expected in (("", first), (vector, pooled)):
        open_and_run(kind, folder / name, folder, stride, prefix, output, global_)
        arrays = np.load(folder / "out.npz")
        assert np.abs(arrays["tokens"] - tokens).max() <= TOLERANCE
        assert np.abs(arrays["global"] - expected).max() <= TOLERANCE


def test_external_data_is_part_of_the_weights(network):
    folder, stride, prefix, *_ = network

    def digest():
        return open_and_run("onnx", folder / "external.onnx", folder, stride, prefix).stdout

    def flip_last_bit():
        data = bytearray((folder / "external.data").read_bytes())
        data[-1] ^= 1
        (folder / "external.data").write_bytes(data)

    first = digest()
    flip_last_bit()
    assert digest() != first
    flip_last_bit()
    assert digest() == first


@pytest.mark.parametrize("kind, name", [("onnx", "m.onnx"), ("torchscript", "m.pt")])
def test_wrong_names_and_shapes(network, kind, name):
    folder, stride, prefix, *_ = network
    wrong = open_and_run(kind, folder / name, folder, stride, prefix, "tokns", status=1)
    assert "there is no output 'tokns'" in wrong.stderr
    assert kind != "onnx" or ("'tokens'" in wrong.stderr and "'pooled'" in wrong.stderr)
    wrong = open_and_run(kind, folder / name, folder, stride, prefix + 1, status=1)
    assert f"prefix_tokens = {prefix + 1}" in wrong.stderr
    wrong = open_and_run(kind, folder / name, folder, stride, prefix, "1", status=1)
    assert "layout = 'tokens'" in wrong.stderr


@pytest.mark.parametrize("kind, name", [("onnx", "m.onnx"), ("onnx", "m.xml"), ("torchscript", "m.pt")])
def test_wrong_and_truncated_files(network, kind, name):
    folder, stride, prefix, *_ = network
    whole = (folder / name).read_bytes()
    suffix = name.split(".")[1]
    for size in (0, 100, len(whole) // 2, len(whole) - 100):
        (folder / f"cut.{suffix}").write_bytes(whole[:size])
        cut = open_and_run(kind, folder / f"cut.{suffix}", folder, stride, prefix, status=3)
        assert cut.stdout.startswith("bad_format"), size
    missing = open_and_run(kind, folder / f"none.{suffix}", folder, stride, prefix, status=3)
    assert missing.stdout.startswith("not_found")
