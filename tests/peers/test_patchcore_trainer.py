# SPDX-License-Identifier: Apache-2.0
"""imatch-lua patchcore infer on what the trainer in Python leaves: patchcore_model.pt, whose network ends behind the
layers in use as timm's features_only does, and norm_stats.txt."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from program import PROGRAM
from test_backbone_resnet import make

torch = pytest.importorskip("torch")

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


def patches_of(network, picture):
    """anomalib's embedding: 3 x 3 means of both layers on the grid of the first, a row for each patch."""
    pixels = torch.from_numpy(np.asarray(picture.convert("RGB")).copy()).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        maps = [torch.nn.functional.avg_pool2d(layer, 3, 1, 1) for layer in network.maps((pixels - MEAN) / STD)[1:3]]
    maps[1] = torch.nn.functional.interpolate(maps[1], size=maps[0].shape[-2:], mode="bilinear")
    return torch.cat(maps, 1)[0].flatten(1).T.double()


def score_of(patches, bank):
    distances = torch.cdist(patches, bank, compute_mode="donot_use_mm_for_euclid_dist")
    nearest = distances.min(1)
    worst = nearest.values.argmax()
    around = torch.cdist(bank[nearest.indices[worst]][None], bank)[0].topk(9, largest=False).indices
    share = torch.softmax(distances[worst, around], 0)[0]
    return float((1 - share) * nearest.values[worst])


def inspect(folder, picture, out, status=0):
    done = subprocess.run([PROGRAM, "--quiet", "patchcore", "infer", folder, picture, "--out", out], capture_output=True, text=True,
                          check=False)
    assert done.returncode == status, done.stderr
    return json.loads((out / f"{picture.name}.json").read_text()) if status == 0 else done.stderr


def test_the_trainers_model_scores_as_it_did(tmp_path):
    network = make("resnet18", tmp_path)
    random = np.random.default_rng(0)
    pictures = [Image.fromarray(random.integers(0, 256, (64, 64, 3), np.uint8)).resize((224, 224)) for _ in range(3)]
    bank = torch.cat([patches_of(network, picture) for picture in pictures[:2]])[::7]
    bank = bank.half().double()
    folder = tmp_path / "weights"
    folder.mkdir()
    state = {f"feature_extractor.feature_extractor.{name}": tensor for name, tensor in network.state_dict().items()
             if not name.startswith(("layer4", "fc"))}
    state["memory_bank"] = bank.float()
    torch.save({"model_state_dict": state, "memory_bank": bank.float(), "backbone": "resnet18", "layers": ["layer2", "layer3"],
                "image_size": (224, 224), "coreset_sampling_ratio": 0.01, "num_neighbors": 9,
                "norm_stats": {"max_score": 2.5, "mean_score": 2.0}}, folder / "patchcore_model.pt")
    pictures[2].save(tmp_path / "new.png")
    assert "norm_stats" in inspect(folder, tmp_path / "new.png", tmp_path / "out", status=1)
    (folder / "norm_stats.txt").write_text("max_score=2.5\nmean_score=2.0\nstd_score=0.1\nmax_pixel=2.25\nmean_pixel=1.5\n"
                                           "num_samples=20\n")
    row = inspect(folder, tmp_path / "new.png", tmp_path / "out")
    expected = score_of(patches_of(network, pictures[2]), bank)
    assert row["score"] == pytest.approx(expected, rel=2e-3)  # weights are rounded to float16
    assert row["anomalous"] == (expected >= 2.5 * 1.002)

    moved = tmp_path / "elsewhere"
    shutil.move(folder / "imported", moved)  # it needs nothing but itself
    assert inspect(moved, tmp_path / "new.png", tmp_path / "out")["score"] == row["score"]

    (folder / "patchcore_model.pt").write_bytes(b"no model")
    assert "patchcore_model.pt" in inspect(folder, tmp_path / "new.png", tmp_path / "out", status=1)
    torch.save({"weights": 1}, folder / "patchcore_model.pt")
    assert "memory_bank" in inspect(folder, tmp_path / "new.png", tmp_path / "out", status=1)
