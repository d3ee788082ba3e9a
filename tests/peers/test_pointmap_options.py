# SPDX-License-Identifier: Apache-2.0
"""What training point maps may be told besides: the published code's configurations, augmentation, several processes, being a cell
of a sweep; and skeletons from points."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import trimesh
import yaml
from PIL import Image

import program
from balls import SIDE, write_sphere
from ports import free_port

SMALL = ["--resolution", SIDE, "--model-channels", 8, "--blocks", 1, "--layers", 2, "--device", "cpu", "--batch", 4, "--dropout", 0]

MAIN = """
hydra:
  output_subdir: null  # nothing of it
  run:
    dir: .
wandb:
  enabled: false
  tags: []
seed: 7
resolution: 16
model_channels: 8
image_channels: 3
num_layers: 2
layer_channels: 8

train_config:
  steps: 3
  save_every: 2
  val_every: 20
  log_every: 10
  gradient_clip_value: 0.5
  batch_size: 4
  use_weights: null
  save_path: ???

model:
  _target_: dualpm_paper.models.SequentialUnet
  resolution: ${resolution}
  in_channels: ${image_channels}
  image_conditioning_stage2: true
  model_channels: ${model_channels}
  detach_conditioning: true
  num_layers: ${num_layers}
  channels_per_layer: ${layer_channels}
  model_overrides:
    num_blocks: 1
    attn_resolutions:
    - 8

module:
  _target_: dualpm_paper.pointmaps.PointmapModule
  soft_label: 0.0
  model: ${model}

optimizer:
  _target_: torch.optim.Adam
  lr: 0.002
  params: ???

scheduler:
  _target_: torch.optim.lr_scheduler.StepLR
  step_size: 2
  gamma: 0.25
  optimizer: ???

dataset:
  _target_: dualpm_paper.dataset.PointmapDataset
  root: ROOT
  feat_root: ???
  image_size: ${resolution}
  input_mode: "rgb"
  render_at_load: false
  scale_targets: false
  include_ids: null

dataloader:
  _target_: torch.utils.data.DataLoader
  dataset: ${dataset}
  batch_size: ${train_config.batch_size}
  num_workers: 1
  shuffle: true
  collate_fn:
    _target_: hydra.utils.get_method
    path: ${dataset._target_}.collate_fn
"""


@pytest.fixture(scope="module")
def balls(tmp_path_factory):
    root = tmp_path_factory.mktemp("balls")
    for number in range(1, 7):
        write_sphere(root, number)
    return root


def losses(folder):
    with open(folder / "losses.csv", encoding="utf-8") as file:
        return [(row["step"], float(row["loss"]), float(row["lr"])) for row in csv.DictReader(file)]


def validations(folder):
    with open(folder / "losses.csv", encoding="utf-8") as file:
        return [row["validation_loss"] for row in csv.DictReader(file) if row["validation_loss"]]


def test_the_published_configuration_says_what_is_trained(balls, tmp_path):
    config = tmp_path / "main.yaml"
    config.write_text(MAIN.replace("ROOT", str(balls)))
    program.run("pointmap", "train", "--config", config, "--out", tmp_path / "run", "--keep-last", 1, "--device", "cpu")
    assert [rate for _, _, rate in losses(tmp_path / "run")] == pytest.approx([0.002, 0.002, 0.0005])
    said = program.lua("""
      local d = assert(im.pointmap.open((...))):describe()
      print(d.step, d.resolution, d.model_channels, d.blocks, d.layers, d.in_channels, d.features.kind)""", tmp_path / "run/weights_3.pth")
    assert said.split() == ["3", "16", "8", "1", "2", "3", "rgb"]
    # An option that is given wins.
    program.run("pointmap", "train", "--config", config, "--out", tmp_path / "other", "--steps", 1, "--lr", 0.1, "--device", "cpu")
    assert [(step, rate) for step, _, rate in losses(tmp_path / "other")] == [("1", 0.1)]


def test_the_reader_of_configurations_agrees_with_pyyaml(tmp_path):
    text = MAIN.replace("ROOT", "/data # a folder") + "list: [1, two, 3.5]\nnested:\n- a\n- b\nlast: 'quoted: text' # said\n"
    path = tmp_path / "a.yaml"
    path.write_text(text)
    said = json.loads(program.lua("""
      local yaml = require "imatch.pointmap.yaml"
      local function plain(v)
        if v == yaml.NULL then return "null" elseif v == yaml.MISSING then return "???" elseif type(v) ~= "table" then return v end
        local copy = {}
        for k, inner in pairs(v) do if k ~= "is_list" then copy[k] = plain(inner) end end
        return copy
      end
      print(im.io.json(plain(assert(yaml.read((...))))))""", path))
    theirs = yaml.safe_load(text)

    def filled(value):
        if isinstance(value, dict):
            return {k: filled(v) for k, v in value.items()}
        if isinstance(value, list):
            return [filled(v) for v in value] or {}
        if value is None:
            return "null"
        while isinstance(value, str) and (found := re.search(r"\$\{([\w.]+)\}", value)):
            inner = theirs
            for name in found[1].split("."):
                inner = inner[name]
            value = filled(inner) if found[0] == value else value.replace(found[0], str(inner))
        return value

    assert {k: v for k, v in said.items() if v != {}} == {k: v for k, v in filled(theirs).items() if v != {}}


@pytest.mark.parametrize("old, new, message", [
    ("  save_every: 2", "  save_every: 2\n  warmup: 5", "unknown: train_config.warmup"),
    ("torch.optim.Adam", "torch.optim.SGD", "optimizer._target_: 'torch.optim.SGD': expected torch.optim.Adam"),
    ("detach_conditioning: true", "detach_conditioning: false", "model.detach_conditioning: 'false': expected true"),
    ("input_mode: \"rgb\"", "input_mode: clip", "dataset.input_mode: 'clip': expected sd_dino, dino or rgb"),
    ("resolution: ${resolution}", "resolution: ${side}", "${side} is not there"),
    ("seed: 7", "seed: &a 7", "this kind of YAML is not read: &a 7"),
    ("seed: 7", "seed 7", "expected 'key: value'"),
    ("seed: 7", "seed: 7\nseed: 8", "'seed' stands there twice"),
    ("  steps: 3", "\tsteps: 3", "indented by a tab"),
])
def test_what_a_configuration_says_wrong_is_named(tmp_path, old, new, message):
    assert old in MAIN
    (tmp_path / "main.yaml").write_text(MAIN.replace(old, new, 1))
    done = program.run("pointmap", "train", tmp_path, "--config", tmp_path / "main.yaml", status=1)
    assert message in done.stderr and "main.yaml" in done.stderr and "traceback" not in done.stderr


def test_infer_reads_its_configuration(balls, tmp_path):
    program.run("pointmap", "train", balls, "--out", tmp_path / "run", *SMALL, "--steps", 1)
    (tmp_path / "skip.txt").write_text("ball_2\n")
    (tmp_path / "infer.yaml").write_text(f"""
weights_path: {tmp_path}/run/weights_1.pth
output_dir: {tmp_path}/points
mask_dir: {balls}/masks
confidence_threshold: 0.5
device: cpu
batch_size: 32
dataset:
  _target_: dualpm_paper.alt_dataset.RasterizeDataset
  root: {balls}
  image_size: 16
  num_layers: 2
  input_mode: rgb
  include_ids: null
  exclude_ids:
    _target_: dualpm_paper.dataset.extract_ids_subset
    path: {tmp_path}/skip.txt
""")
    done = program.run("pointmap", "infer", "--config", tmp_path / "infer.yaml", "--occupancy", 0, "--normals")
    assert "--confidence-limit 0.5 drops nothing" in done.stderr
    assert len(list((tmp_path / "points").glob("ball_*_rec.ply"))) == 5 and not (tmp_path / "points/ball_2_rec.ply").exists()
    assert b"property float nx" in (tmp_path / "points/ball_1_rec.ply").read_bytes()[:400]
    assert "checkpoint and pictures are needed" in program.run("pointmap", "infer", status=2).stderr


def test_samples_of_a_mesh_are_rasterised_while_it_trains(data, tmp_path):
    """The losses are those of the files that `raster` writes of the same mesh, whatever is drawn."""
    fox = data / "fox/Fox.glb"
    for number, drawn in enumerate((["--clip", "Walk"], ["--bend", 15, "--distance", 3, "--focal", 40, "--elevation", 0, 60])):
        drawn = ["--count", 6, "--seed", 5, *drawn]
        words = [*SMALL, "--steps", 3, "--threads", 1, "--seed", 5]
        files = tmp_path / f"files{number}"
        program.run("pointmap", "raster", fox, "--out", files, "--size", SIDE, "--layers", 2, *drawn)
        program.run("pointmap", "train", files, "--out", tmp_path / f"a{number}", *words)
        program.run("pointmap", "train", fox, "--out", tmp_path / f"b{number}", *words, *drawn)
        assert len(losses(tmp_path / f"a{number}")) == 3
        assert losses(tmp_path / f"a{number}") == losses(tmp_path / f"b{number}")
    assert losses(tmp_path / "a0") != losses(tmp_path / "a1")
    (tmp_path / "ids.txt").write_text("Fox_000009\n")
    done = program.run("pointmap", "train", fox, "--count", 6, "--include", tmp_path / "ids.txt", *SMALL, status=1)
    assert "no sample 'Fox_000009'" in done.stderr
    assert "Wak" in program.run("pointmap", "train", fox, "--clip", "Wak", *SMALL, status=1).stderr


def test_a_data_set_of_dualpm_is_rasterised_while_it_trains(tmp_path):
    """Without point maps of the resolution, of its meshes, poses and cameras: with the losses of the files that `raster` writes."""
    root = tmp_path / "data"
    for name in ("renders", "masks", "poses", "metadata", "cameras", "shapes/ring"):
        (root / name).mkdir(parents=True)
    (root / "shapes/ring/ring_shape.glb").write_bytes(trimesh.Scene(trimesh.creation.torus(0.8, 0.3)).export(file_type="glb"))
    draw = np.random.default_rng(3)
    for name in range(1, 7):
        Image.fromarray(draw.integers(0, 255, (64, 64, 3), np.uint8)).save(root / f"renders/{name}_rgb.png")
        Image.new("L", (64, 64), 255).save(root / f"masks/{name}_mask.png")
        turn = np.radians(20 * name)
        np.savez(root / f"poses/{name}_pose.npz", poses=[[np.cos(turn), np.sin(turn), 0, 0, 0.1, 0, 0]])
        (root / f"metadata/{name}_metadata.txt").write_text(f"model_name: ring\nfocal_length: {40 + name}  # mm\n")
        (root / f"cameras/{name}_camera.txt").write_text(f"1 0 0 0\n0 0 -1 -{3 + 0.2 * name}\n0 +1 0 0.4\n0 0 0 1\n")
    words = ["pointmap", "train", root, *SMALL, "--steps", 3, "--threads", 1, "--seed", 5]
    program.run(*words, "--out", tmp_path / "a")
    program.run("pointmap", "raster", root, "--size", SIDE, "--layers", 2)
    program.run(*words, "--out", tmp_path / "b")
    assert len(losses(tmp_path / "a")) == 3 and losses(tmp_path / "a") == losses(tmp_path / "b")

    # Of another resolution there are none: what does not fit is said before the first step.
    other = [*words, "--resolution", 2 * SIDE, "--out", tmp_path / "c"]
    (root / "cameras/2_camera.txt").write_text("1 0 0\n")
    assert "3 numbers; expected 4 lines of 4" in program.run(*other, status=1).stderr
    (root / "cameras/2_camera.txt").write_text("1 0 0 0.9\n0 0 -1 0\n0 1 0 0\n0 0 0 1\n")
    assert "the sample '2': the camera stands inside of the mesh" in program.run(*other, status=1).stderr
    (root / "cameras/2_camera.txt").unlink()
    assert f"pointmaps_{2 * SIDE}/2.npz: no such file, which the sample '2' needs" in program.run(*other, status=1).stderr


def test_validation_has_data_of_its_own(balls, tmp_path):
    """Held out are the samples of another folder; all of this one are trained on."""
    other = tmp_path / "other"
    for number in (1, 9):
        write_sphere(other, number)
    config = tmp_path / "main.yaml"
    config.write_text(MAIN.replace("ROOT", str(balls)).replace("val_every: 20", "val_every: 1")
                      + f"\nval_dataset:\n  _target_: dualpm_paper.dataset.PointmapDataset\n  root: {other}\n  image_size: 16\n")
    program.run("pointmap", "train", "--config", config, "--out", tmp_path / "a", "--device", "cpu", "--threads", 1)
    program.run("pointmap", "train", balls, "--validation-data", other, "--config", config, "--out", tmp_path / "b", "--device", "cpu",
                "--threads", 1)
    assert validations(tmp_path / "a") == validations(tmp_path / "b") and len(validations(tmp_path / "a")) == 3
    assert losses(tmp_path / "a") == losses(tmp_path / "b")
    (tmp_path / "gone.txt").write_text("ball_5\n")
    done = program.run("pointmap", "train", balls, "--validation-data", other, "--validation", tmp_path / "gone.txt", *SMALL, status=1)
    assert "no sample 'ball_5'" in done.stderr


@pytest.mark.parametrize("is_standalone", [True, False])
def test_two_processes_have_the_losses_of_one(is_standalone, balls, tmp_path):
    meeting = ["--standalone"] if is_standalone else ["--master-port", str(free_port())]
    words = ["pointmap", "train", balls, *SMALL, "--steps", 8, "--lr", 2e-3, "--save-every", 4, "--threads", 1, "--crop", 0.3]
    program.run(*words, "--out", tmp_path / "one")
    subprocess.run([sys.executable, "-m", "torch.distributed.run", *meeting, "--nproc-per-node", "2", "--no-python",
                    program.PROGRAM, *map(str, words), "--out", str(tmp_path / "two")], check=True, timeout=300, capture_output=True,
                   env={**os.environ, "OMP_NUM_THREADS": "1"})
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert [row[0] for row in two] == [str(i) for i in range(1, 9)]  # one process writes
    assert [row[1] for row in two] == pytest.approx([row[1] for row in one], rel=2e-4)
    assert (tmp_path / "two/weights_8.pth").exists()
    import torch
    models = [torch.load(tmp_path / f"{name}/weights_8.pth", weights_only=True)["model_state"] for name in ("one", "two")]
    assert max((models[0][name] - models[1][name]).abs().max().item() for name in models[0]) < 2e-3


def test_a_process_whose_others_do_not_come_can_be_stopped(balls, tmp_path):
    process = program.start("pointmap", "train", balls, *SMALL, "--out", tmp_path / "alone",
                            env={"WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())})
    time.sleep(5)
    assert process.poll() is None
    process.terminate()
    _, error = program.finish(process, 128 + signal.SIGTERM)
    assert "interrupted" in error and "c10d" not in error  # which warns of waiting


def test_a_training_that_is_a_cell_goes_on_after_a_signal(balls, tmp_path):
    script = tmp_path / "cells.lua"
    script.write_text(f"""
      local im = require "imatch"
      im.sweep {{ name = "training", axes = {{ lr = {{ 1e-3, 3e-3 }} }}, measure = function(p, cell)
        local report = assert(im.pointmap.train("{balls}", cell:checkpoint_dir() .. "/run", {{
          network = {{ resolution = {SIDE}, model_channels = 8, blocks = 1, layers = 2 }},
          training = {{ batch = 4, device = "cpu", steps = 40, save_every = 10, optimiser = {{ lr = p.lr }} }} }}))
        return {{ loss = report.loss, seconds_here = report.seconds }}
      end }}""")

    def result(folder):
        (path,) = (folder / "runs/training").glob("*/results.csv")
        with open(path, encoding="utf-8") as file:
            return [(row["lr"], row["loss"], row["status"]) for row in csv.DictReader(file)]

    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    program.run("--threads", 1, script, cwd=tmp_path / "whole")
    process = program.start("--threads", 1, script, cwd=tmp_path / "parts")
    while not list((tmp_path / "parts").rglob("weights_20.pth")):
        time.sleep(0.01)
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    kept = [int(p.stem.split("_")[1]) for p in (tmp_path / "parts").rglob("weights_*.pth")]
    assert max(kept) >= 20
    program.run("--threads", 1, script, cwd=tmp_path / "parts")
    assert result(tmp_path / "parts") == result(tmp_path / "whole") and len(result(tmp_path / "parts")) == 2


def test_augmentation_is_refused_where_it_is_not_valid(balls, tmp_path):
    # These balls rest around the origin, so that they may be mirrored.
    program.run("pointmap", "train", balls, "--out", tmp_path / "a", *SMALL, "--steps", 2, "--flip", "x", "--colour", 0.2, "--background", 0.5)
    lopsided = tmp_path / "lopsided"
    for number in (1, 2):
        write_sphere(lopsided, number)
        path = lopsided / f"pointmaps_{SIDE}/ball_{number}.npz"
        arrays = dict(np.load(path))
        arrays["values"][:, 0] += 1
        np.savez(path, **arrays)
    done = program.run("pointmap", "train", lopsided, "--out", tmp_path / "b", *SMALL, "--steps", 1, "--flip", "x", status=1)
    assert "not symmetric about 0" in done.stderr


def test_a_skeleton_is_found_again(data, tmp_path):
    """The fox, posed by its clip and rasterised from two sides: the mesh in the pose of the points' joints lies where it lay."""
    fox = data / "fox/Fox.glb"
    program.run("pointmap", "raster", fox, "--out", tmp_path, "--count", 2, "--size", 128, "--clip", "Run", "--time", 0.3)
    for more, limit in (((), 0.03), (("--weighted",), 0.03)):
        out = tmp_path / f"skeletons{len(more)}"
        said = program.run("pointmap", "skeleton", fox, tmp_path / "pointmaps_128/Fox_000001.npz", "--out", out, "--confidence-limit", 0, *more).stdout
        count, joints, points = map(int, re.match(r"Fox_000001: (\d+) of (\d+) joints from (\d+) points", said).groups())
        assert joints == 24 and count >= 15 and points > 1000
        # Points as the camera saw them lie on the mesh that their joints pose.
        distance = float(program.lua("""
          local points, mesh = assert(im.pointmap.read((...))), assert(im.mesh.open(select(2, ...)))
          print(im.evaluate.point_clouds(points:get "posed", mesh:positions()).chamfer_l1)""",
                                     tmp_path / "pointmaps_128/Fox_000001.npz", out / "Fox_000001_posed.glb"))
        assert distance < limit
        found = json.loads((out / "Fox_000001_joints.json").read_text())
        assert sum(j["found"] for j in found["joints"]) == count and len(found["joints"][0]["matrix"]) == 16
    (tmp_path / "stiff.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    assert "without skeleton" in program.run("pointmap", "skeleton", tmp_path / "stiff.obj", tmp_path / "pointmaps_128/Fox_000001.npz", status=1).stderr


def test_bent_poses_keep_the_rest_and_differ(data, tmp_path):
    said = program.lua("""
      local mesh = assert(im.mesh.open((...)))
      local rest, a, b = mesh:posed(), mesh:posed { bend_deg = 10, seed = 1 }, mesh:posed { bend_deg = 10, seed = 2 }
      print(a:max_difference(mesh:posed { bend_deg = 10, seed = 1 }), a:max_difference(rest), a:max_difference(b))
      print(mesh:posed(mesh:pose { bend_deg = 10, seed = 1 }):max_difference(a))""", data / "fox/Fox.glb")
    same, moved, other, written = map(float, said.split())
    assert same == 0 and moved > 5 and other > 5 and written < 1e-3
    dog = __import__("meshes").dog_path()
    if dog is None:
        pytest.skip("dm_control is not installed")
    said = program.lua("""
      local mesh = assert(im.mesh.open((...)))
      local rest, bent = mesh:posed(), mesh:posed { bend_deg = 8, seed = 3 }
      im.io.write_npy(select(2, ...) .. "/rest.npy", rest)
      im.io.write_npy(select(2, ...) .. "/bent.npy", bent)
      im.io.write_npy(select(2, ...) .. "/faces.npy", mesh:triangles())""", dog, tmp_path)
    rest, bent, faces = (np.load(tmp_path / f"{name}.npy") for name in ("rest", "bent", "faces"))
    assert np.abs(bent - rest).max() > 0.05
    # Joints turn: edges keep their lengths but for the skin over the joints.
    lengths = [np.linalg.norm(p[faces[:, 0]] - p[faces[:, 1]], axis=1) for p in (rest, bent)]
    assert np.quantile(np.abs(lengths[1] / lengths[0] - 1), 0.9) < 0.15
