# SPDX-License-Identifier: Apache-2.0
"""Training of point maps, its files read by PyTorch and TensorBoard, on spheres that NumPy rasterises."""

import csv
import json
import signal
import time

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

import program
from balls import SIDE, write_sphere

SAMPLES = 6
NETWORK = "network = { resolution = 16, model_channels = 8, blocks = 1, layers = 2 }"


@pytest.fixture(scope="module")
def balls(tmp_path_factory):
    root = tmp_path_factory.mktemp("balls")
    for number in range(1, SAMPLES + 1):
        write_sphere(root, number)
    return root


def train(root, folder, more, **options):
    return program.lua(f"""
      local root, folder = ...
      local report, message = im.pointmap.train(root, folder, {{ {NETWORK}, training = {{ batch = 4, device = "cpu", {more} }} }})
      print(report and im.io.json(report) or message)""", root, folder, **options)


def losses(folder):
    with open(folder / "losses.csv", encoding="utf-8") as file:
        return [(row["step"], row["loss"], row["points"], row["occupancy"]) for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def run(balls, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "whole"
    report = json.loads(train(balls, folder, "steps = 60, save_every = 25, picture_every = 30, optimiser = { lr = 2e-3, lr_step = 40 }"))
    assert report["step"] == 60
    return folder


def test_pytorch_loads_a_checkpoint_and_goes_on_with_it(run):
    checkpoint = torch.load(run / "weights_60.pth", weights_only=True)
    assert checkpoint["step"] == 60 and json.loads(checkpoint["config"])["features"]["kind"] == "rgb"
    model = checkpoint["model_state"]
    assert model["nets.depth_encoder.enc.16x16_conv.weight"].shape == (8, 3, 3, 3)
    parameters = [torch.nn.Parameter(t) for name, t in model.items() if not name.endswith("resample_filter")]
    adam = torch.optim.Adam(parameters, lr=1)
    schedule = torch.optim.lr_scheduler.StepLR(adam, 1)
    adam.load_state_dict(checkpoint["optim_state"])
    schedule.load_state_dict(checkpoint["scheduler_state"])
    assert schedule.last_epoch == 60 and adam.param_groups[0]["lr"] == pytest.approx(1e-3)
    assert all(adam.state[p]["step"] == 60 for p in parameters)
    for p in parameters:
        p.grad = torch.ones_like(p)
    adam.step()
    schedule.step()


def test_losses_fall_and_tensorboard_reads_them(run):
    rows = losses(run)
    assert [int(row[0]) for row in rows] == list(range(1, 61))
    assert float(rows[-1][1]) < float(rows[0][1]) - 0.5
    (path,) = (run / "events").iterdir()
    scalars, pictures = {}, 0
    for event in EventFileLoader(str(path)).Load():
        for value in event.summary.value:
            if value.tag == "prediction":
                pictures += 1
            else:
                number = value.tensor.float_val[0] if value.HasField("tensor") else value.simple_value
                scalars.setdefault(value.tag, []).append((event.step, number))
    assert pictures == 2
    assert [step for step, _ in scalars["loss"]] == list(range(1, 61))
    assert [number for _, number in scalars["loss"]] == pytest.approx([float(row[1]) for row in rows], rel=1e-6)
    assert Image.open(run / "pictures/0000060.png").size == (4 * SIDE, 2 * SIDE)


def test_an_interrupted_run_goes_on_to_the_last_bit(balls, run, tmp_path):
    folder = tmp_path / "again"
    options = "steps = 60, save_every = 25, optimiser = { lr = 2e-3, lr_step = 40 }"
    script = f"""local im = require "imatch"
      print(im.pointmap.train("{balls}", "{folder}", {{ {NETWORK}, training = {{ batch = 4, device = "cpu", {options} }} }}))"""
    (tmp_path / "train.lua").write_text(script)
    process = program.start(tmp_path / "train.lua")
    while not (folder / "weights_25.pth").exists():
        time.sleep(0.01)
        assert process.poll() is None or (folder / "weights_25.pth").exists()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    train(balls, folder, options)
    assert losses(folder) == losses(run)


def test_a_state_dict_of_pytorch_is_opened_and_evaluated(balls, run, tmp_path):
    model = torch.load(run / "weights_60.pth", weights_only=True)["model_state"]
    torch.save(model, tmp_path / "bare.pth")
    said = json.loads(program.lua("""
      local root, checkpoint = ...
      print(im.io.json(assert(im.pointmap.open(checkpoint)):evaluate(root, { points = { confidence = 0 } })))""",
                                  balls, tmp_path / "bare.pth"))
    assert len(said["samples"]) == SAMPLES
    assert said["loss"]["points"] < said["loss"]["constant_points"]
    assert 0 < said["mean"]["posed_chamfer_l1"] < 0.5


@pytest.mark.parametrize("broken, message", [
    (lambda root: (root / "masks/ball_2_mask.png").unlink(), "ball_2_mask.png: no such file, which the sample 'ball_2' needs"),
    (lambda root: np.savez(root / f"pointmaps_{SIDE}/ball_1.npz", values=np.ones((1, 7), np.float32),
                           indices=np.array([[SIDE, 0, 0]], np.uint8), shape=np.array([SIDE, SIDE, 2, 7])), "ball_1.npz"),
    (lambda root: (root / "renders").rename(root / "elsewhere"), "no folder renders/"),
])
def test_bad_data_is_named(tmp_path, broken, message):
    for number in (1, 2):
        write_sphere(tmp_path, number)
    broken(tmp_path)
    assert message in train(tmp_path, tmp_path / "run", "steps = 3, workers = 1")


def test_weights_of_another_network_are_refused(balls, run, tmp_path):
    said = program.lua("""
      local root, folder, weights = ...
      print(select(2, im.pointmap.train(root, folder, { weights = weights, network = { resolution = 16, model_channels = 16,
        blocks = 1, layers = 2 }, training = { device = "cpu" } })))""", balls, tmp_path / "other", run / "weights_60.pth")
    assert "8 model channels" in said and "16" in said


def read_ply(path):
    """The points of a binary PLY as a table of columns."""
    head, body = path.read_bytes().split(b"end_header\n", 1)
    lines = head.decode().splitlines()
    assert lines[1] == "format binary_little_endian 1.0"
    kinds = {"float": "<f4", "uchar": "u1"}
    columns = [(line.split()[2], kinds[line.split()[1]]) for line in lines if line.startswith("property")]
    (count,) = [int(line.split()[2]) for line in lines if line.startswith("element vertex")]
    return np.frombuffer(body, np.dtype(columns), count)


def test_the_commands_train_infer_and_evaluate(balls, run, tmp_path):
    small = ["--resolution", 16, "--model-channels", 8, "--blocks", 1, "--layers", 2, "--device", "cpu"]
    said = program.run("pointmap", "train", balls, "--out", tmp_path / "run", *small, "--steps", 4, "--batch", 4, "--save-every", 2,
                       "--keep-last", 1, "--lr", 1e-3).stdout
    assert "step 4" in said and [p.name for p in (tmp_path / "run").glob("*.pth")] == ["weights_4.pth"]
    picture = balls / "renders/ball_3_rgb.png"
    done = program.run("pointmap", "infer", run / "weights_60.pth", picture, "--out", tmp_path / "points", "--colour", "--confidence",
                       "--layer", "--npz", "--confidence-limit", 0.5)
    assert "--confidence-limit 0.5 drops nothing" in done.stderr
    posed, raw = read_ply(tmp_path / "points/ball_3_rec.ply"), np.load(tmp_path / "points/ball_3.npz")
    assert posed.dtype.names == ("x", "y", "z", "red", "green", "blue", "confidence", "layer")
    maps = raw["prediction"].reshape(2, 8, SIDE, SIDE)
    kept = 1 / (1 + np.exp(-maps[:, 6])) * raw["mask"] > 0.5
    expected = np.moveaxis(maps[:, 3:6], 1, -1)[kept]
    np.testing.assert_allclose(np.stack([posed["x"], posed["y"], posed["z"]], -1), expected, atol=1e-6)
    np.testing.assert_allclose(posed["confidence"], 1 + np.exp(maps[:, 7])[kept], rtol=1e-5)
    said = program.run("pointmap", "evaluate", run / "weights_60.pth", balls, "--confidence-limit", 0, "--out", tmp_path / "rows.csv").stdout
    assert f"{SAMPLES} samples" in said and "posed_pck" in said
    with open(tmp_path / "rows.csv", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == SAMPLES
