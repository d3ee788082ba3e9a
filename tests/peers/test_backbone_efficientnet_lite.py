# SPDX-License-Identifier: Apache-2.0
"""efficientnet_lite0, 1 and 2 against the PyTorch implementation that their weights were published for."""

import numpy as np
import pytest
import torch
from PIL import Image

from backbones import features_of, logits_of, working_size
from pictures import photographs, picture
from program import WEIGHTS

efficientnet_lite_pytorch = pytest.importorskip("efficientnet_lite_pytorch")
FILES = {
    "efficientnet-lite0": "efficientnet-lite0-57934424.pth",
    "efficientnet-lite1": "efficientnet-lite1-77cc7160.pth",
    "efficientnet-lite2": "efficientnet-lite2-9656183e.pth",
}
SIDE = {"efficientnet-lite0": 224, "efficientnet-lite1": 240, "efficientnet-lite2": 260}  # of the training
STAGES = (8, 16, 32)
SIZES = [(336, 336), (300, 500), (640, 400), (1279, 957), (97, 131), (20, 15)]


def reference(width, height, name="efficientnet-lite0"):
    """The network with its static padding made for this size."""
    model = efficientnet_lite_pytorch.EfficientNet.from_pretrained(
        name, weights_path=str(WEIGHTS / FILES[name]), image_size=(height, width)
    )
    return model.eval()


def backbone_of(name):
    return name.replace("-", "_")


def network_input(image, size):
    resized = image if image.size == size else image.resize(size, Image.BICUBIC)
    levels = torch.from_numpy(np.asarray(resized).astype(np.float32)).permute(2, 0, 1)
    return ((levels - 127) / 128)[None]


def stage_tokens(model, x, stage):
    with torch.inference_mode():
        side = x.shape[-1]
        x = model._swish(model._bn0(model._conv_stem(x)))
        for block in model._blocks:
            y = block(x)
            if y.shape[-1] < -(-side // stage):  # the first block of the next stride
                break
            x = y
    return x[0].flatten(1).T.numpy()


CASES = [("efficientnet-lite0", *size) for size in SIZES]
CASES += [(name, *size) for name in ("efficientnet-lite1", "efficientnet-lite2") for size in SIZES[1:3]]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("name,width,height", CASES)
def test_tokens_equal_the_python_network(name, width, height, stage, tmp_path):
    image = picture(width, height)
    size = working_size(width, height, 336, stage)
    model = reference(*size, name)
    python = stage_tokens(model, network_input(image, size), stage)
    exact = stage_tokens(model.double(), network_input(image, size).double(), stage)
    (tokens, pooled, (rows, cols)), = features_of([image], f"{backbone_of(name)} device=cpu stage={stage}", tmp_path)
    assert (cols * stage, rows * stage) == (-(-size[0] // stage) * stage, -(-size[1] // stage) * stage)
    assert tokens.shape == exact.shape
    # Where float32 itself is no better than that (smooth enlarged images), no more than twice PyTorch's own error.
    tolerance = max(1e-4, 2 * np.abs(python - exact).max())
    assert tolerance < 1e-3
    assert np.abs(tokens - exact).max() <= tolerance
    assert np.abs(pooled - exact.mean(0)).max() <= tolerance


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("width,height", SIZES[:4])
def test_logits_equal_the_python_network(name, width, height, tmp_path):
    image = picture(width, height)
    side = SIDE[name]
    seen, _ = working_size(side, side, side, 16)
    logits = logits_of(image, f"{backbone_of(name)} device=cpu image_size={side} resize=exact", tmp_path)
    with torch.inference_mode():
        expected = reference(seen, seen, name)(network_input(image, (seen, seen))).numpy()
    assert np.abs(logits - expected).max() <= 1e-4
    assert logits.argmax() == expected.argmax()


def test_classes_of_a_real_photograph(data, tmp_path):
    image = Image.open(photographs(data / "brighton_beach")[0]).convert("RGB")
    logits = logits_of(image, "efficientnet_lite0 device=cpu image_size=224 stage=32", tmp_path)[0]
    size = working_size(*image.size, 224, 32)
    with torch.inference_mode():
        expected = reference(*size)(network_input(image, size)).numpy()[0]
    assert list(logits.argsort()[-5:]) == list(expected.argsort()[-5:])


@pytest.mark.parametrize("stage", STAGES)
def test_tokens_of_photographs_in_8_bits_stay_near_those_of_the_python_network(stage, data, tmp_path):
    images = [Image.open(photographs(data / folder)[i]).convert("RGB") for folder in ("brighton_beach", "seneca") for i in (0, 9)]
    spec = f"efficientnet_lite0 device=cpu stage={stage} dtype=int8"
    cosines = []
    for image, (tokens, _, _) in zip(images, features_of(images, spec, tmp_path)):
        size = working_size(*image.size, 336, stage)
        exact = stage_tokens(reference(*size), network_input(image, size), stage)
        cosines.append((exact * tokens).sum(1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(tokens, axis=1))
    means = [c.mean() for c in cosines]
    assert min(means) >= 0.99 and max(means) < 1 - 1e-6, means
