# SPDX-License-Identifier: Apache-2.0
"""imatch-lua patchcore: the layouts of exported graphs in OpenVINO's Python, the actions end to end, and what goes wrong."""

import csv
import json
import pathlib
import resource
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import textures
from PIL import Image

from program import PROGRAM, ROOT, WEIGHTS, lua

sys.path.insert(0, str(ROOT / ".deps/python/openvino"))
ov = pytest.importorskip("openvino")
pytestmark = pytest.mark.skipif(textures.folder() is None, reason="the scikit-image wheel is not installed")

EXPORT = """
local model, data, layout, inside, block_mb = ...
local report = assert(im.anomaly.export(model, data, { layout = layout, preprocess_inside = inside == "inside",
  block_mb = tonumber(block_mb) }))
assert(report.holds)
"""


def patchcore(*arguments, status=0, **options):
    done = subprocess.run([PROGRAM, "--quiet", "patchcore", *map(str, arguments)], capture_output=True, text=True, check=False,
                          timeout=500, **options)
    assert done.returncode == status, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    root = tmp_path_factory.mktemp("files")
    textures.write(root / "brick", "brick", num_train=10, num_test=4, kinds=("blob",))
    patchcore("train", "--data-dir", root / "brick", "--output", root, "--pattern-name", "model", "--coreset-ratio", "0.05")
    return root


@pytest.fixture
def model(trained, tmp_path):
    """A copy that may be changed."""
    shutil.copytree(trained / "model", tmp_path / "model")
    return tmp_path / "model"


def compiled(path):
    return ov.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def unit_picture(path, size=None):
    picture = Image.open(path).convert("RGB")
    pixels = np.asarray(picture.resize(size) if size else picture)
    return (pixels.astype(np.float32).transpose(2, 0, 1) / 255)[None]


def infer(model, out, *pictures, options=(), status=0):
    patchcore("infer", model, *pictures, "--out", out, *options, status=status)
    return [json.loads((out / (pathlib.Path(picture).name + ".json")).read_text()) for picture in pictures]


# ---- Layouts ---------------------------------------------------------------------------------------------------------------


def test_the_layout_of_anomalib_has_its_four_outputs(trained, model, tmp_path):
    patchcore("export", model, "--data-dir", trained / "brick", "--export-layout", "anomalib")
    graph = compiled(model / "model.anomalib.xml")
    assert [output.any_name for output in graph.outputs] == ["pred_score", "pred_label", "anomaly_map", "pred_mask"]
    assert graph.input(0).any_name == "input"
    thresholds = json.loads((model / "thresholds.json").read_text())
    labels = set()
    for kind in ("good", "blob"):
        picture = trained / f"brick/test/{kind}/000.png"
        result = graph(unit_picture(picture))
        score, label, anomaly_map, mask = (result[name] for name in ("pred_score", "pred_label", "anomaly_map", "pred_mask"))
        assert (score.shape, label.shape, anomaly_map.shape, mask.shape) == ((1,), (1,), (1, 1, 224, 224), (1, 1, 224, 224))
        assert label.dtype == mask.dtype == np.bool_
        assert 0 <= score[0] <= 1 and anomaly_map.min() >= 0 and anomaly_map.max() <= 1
        [ours] = infer(model, tmp_path / "out", picture)
        assert label[0] == ours["anomalous"] == (score[0] >= 0.5)
        raw = np.load(tmp_path / "out/000.png.map.npy")
        near = np.abs(raw - thresholds["pixel"]) < 1e-3 * raw.max()
        assert ((mask[0, 0] == (raw >= thresholds["pixel"])) | near).all()
        labels.add(bool(label[0]))
    assert labels == {False, True}
    larger = graph(unit_picture(picture, (500, 300)))
    assert larger["anomaly_map"].shape == (1, 1, 224, 224)


def test_preprocessing_inside_says_what_preprocessing_outside_says(trained, model, tmp_path):
    pictures = []
    for i, size in enumerate([(224, 224), (448, 300), (200, 260)]):
        pictures.append(tmp_path / f"{i}.png")
        Image.open(trained / "brick/test/blob/000.png").convert("RGB").resize(size).save(pictures[-1])
    outside = infer(model, tmp_path / "outside", *pictures)
    patchcore("export", model, "--data-dir", trained / "brick", "--preprocess-inside")
    graph = compiled(model / "model.xml")
    assert graph.input(0).partial_shape[2].is_dynamic
    inside = infer(model, tmp_path / "inside", *pictures)
    for picture, a, b in zip(pictures, outside, inside):
        assert b["score"] == pytest.approx(a["score"], rel=1e-4)
        assert graph(unit_picture(picture))["pred_score"][0] == pytest.approx(a["score"], rel=1e-4)
        np.testing.assert_allclose(np.load(tmp_path / f"inside/{picture.name}.map.npy"),
                                   np.load(tmp_path / f"outside/{picture.name}.map.npy"), rtol=1e-3)


MEASURE = """
import re, sys
import numpy as np
sys.path.insert(0, sys.argv[2])
import openvino as ov

def megabytes(which):
    return int(re.search(which + r":\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024

settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
request = ov.Core().compile_model(sys.argv[1], "CPU", settings).create_infer_request()
picture = np.random.default_rng(0).normal(size=(1, 3, 224, 224)).astype(np.float32)
open("/proc/self/clear_refs", "w").write("5")  # what was needed to compile does not count
before = megabytes("VmRSS")
result = request.infer({0: picture})
print(megabytes("VmHWM") - before, float(result["pred_score"][0]))
"""


def test_the_bank_is_searched_in_blocks_of_bounded_memory(trained, tmp_path):
    """anomalib's graph makes one table of all patches and rows. Ours are blocks of `block_mb`, whatever the bank's size."""
    lua("""
local data, model = ...
assert(im.anomaly.train(data, model, { pattern_name = "large", held_out = 0, coreset_ratio = 0.9, layers = { "8" },
  method = { coreset = "greedy" } }))
""", trained / "brick", tmp_path / "large")
    grown, scores = {}, {}
    for block_mb in (1, 1000):
        lua(EXPORT, tmp_path / "large", trained / "brick", "raw", "outside", block_mb)
        graph = ov.Core().read_model(tmp_path / "large/large.xml")
        tables = [node for node in graph.get_ops() if node.get_type_name() == "MatMul"]
        rows = [int(node.output(0).shape[0]) for node in tables if node.output(0).shape[1] == 784]
        assert sum(rows) == int(10 * 784 * 0.9)
        assert max(rows) * 784 * 4 <= block_mb * 1e6
        assert block_mb > 1 or len(rows) > 10
        done = subprocess.run([sys.executable, "-c", MEASURE, tmp_path / "large/large.xml", str(ROOT / ".deps/python/openvino")],
                              capture_output=True, text=True, check=True)
        grown[block_mb], scores[block_mb] = map(float, done.stdout.split())
    print("MB more at inference by block_mb:", grown)
    assert scores[1] == pytest.approx(scores[1000], rel=1e-5)
    # One table of all rows is 22 MB. A block and the maps of the network are all that inference needs beside the bank.
    assert grown[1000] > grown[1] + 10
    assert grown[1] < 2 * 7056 * 40 * 4 / 1e6 + 1 + 20


def test_settings_of_the_device_itself_change_nothing(trained):
    """Programs that load the files do not ask for float32, and processors with bfloat16 would take that."""
    report = json.loads((trained / "model/parity.json").read_text())
    settings = report["device_settings"]
    assert settings["largest_relative_difference"] <= report["limits"]["relative_score"]
    assert settings["flipped_labels"] == []
    picture = np.random.default_rng(1).normal(size=(1, 3, 224, 224)).astype(np.float32)
    core = ov.Core()
    own, exact = (core.compile_model(str(trained / "model/model.xml"), "CPU", hints)(picture)["pred_score"][0]
                  for hints in ({}, {"INFERENCE_PRECISION_HINT": "f32"}))
    assert own == pytest.approx(exact, rel=1e-5)


# ---- Actions ---------------------------------------------------------------------------------------------------------------


def test_infer_leaves_maps_masks_and_tables(trained, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    picture = trained / "brick/test/blob/000.png"
    for engine in ("openvino", "libtorch"):
        out = tmp_path / engine
        row, lost = infer(trained / "model", out, picture, broken, options=("--engine", engine, "--threads", 2), status=1)
        assert row["status"] == "ok" and row["anomalous"] and 0 <= row["mean_scaled"] <= 100 and row["blobs"]
        assert lost["status"] == "unreadable"
        assert np.load(out / "000.png.map.npy").shape == (224, 224)
        mask = np.asarray(Image.open(out / "000.png.mask.png"))
        truth = np.asarray(Image.open(trained / "brick/ground_truth/blob/000_mask.png")) > 0
        assert (mask[truth] > 0).any() and Image.open(out / "000.png.heat.png").size == (224, 224)
        with (out / "results.csv").open() as file:
            table = list(csv.DictReader(file))
        assert [line["status"] for line in table] == ["ok", "unreadable"]
        assert len(json.loads((out / "results.json").read_text())) == 2


def test_a_model_keeps_weights_that_the_user_brought(trained, tmp_path):
    weights = tmp_path / "own.pth"
    shutil.copy(WEIGHTS / "efficientnet-lite0-57934424.pth", weights)
    patchcore("train", "--data-dir", trained / "brick", "--output", tmp_path, "--pattern-name", "own", "--coreset-ratio", "0.05",
              "--backbone", f"efficientnet_lite0 weights={weights}", "--no-export")
    assert (tmp_path / "own/backbone.weights").read_bytes() == weights.read_bytes()
    weights.unlink()
    picture = trained / "brick/test/blob/000.png"
    [row] = infer(tmp_path / "own", tmp_path / "out", picture)
    [shipped] = infer(trained / "model", tmp_path / "shipped", picture, options=("--engine", "libtorch"))
    assert row["score"] == shipped["score"]


def test_extend_takes_new_normal_pictures_in(trained, model, tmp_path):
    new = tmp_path / "new"
    new.mkdir()
    for i in range(2):
        shutil.copy(trained / f"brick/test/blob/00{i}.png", new / f"{i}.png")
    before = infer(model, tmp_path / "before", new / "0.png")[0]["score"]
    done = patchcore("extend", model, "--data-dir", new, "--coreset-ratio", "0.2")
    assert "exported:" in done.stdout
    after = infer(model, tmp_path / "after", new / "0.png")[0]["score"]
    assert after < 0.8 * before
    assert "num_samples=11" in (model / "norm_stats.txt").read_text()


def test_a_region_is_found_in_every_picture_or_told(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    part = textures.texture("brick")[100:220, 40:200]
    rest = textures.texture("grass")
    places = {"a": (30, 40), "b": (50, 20), "c": (10, 60), "d": (33, 41), "e": (44, 8)}
    for name, (x, y) in places.items():
        picture = rest[:260, :320].copy()
        picture[y : y + part.shape[0], x : x + part.shape[1]] = part
        Image.fromarray(picture.astype(np.uint8)).save(data / f"{name}.png")
    Image.fromarray(rest[200:460, 100:420].astype(np.uint8)).save(data / "without.png")
    done = patchcore("train", "--data-dir", data, "--output", tmp_path, "--pattern-name", "part", "--coreset-ratio", "0.05",
                     "--held-out", "0", "--roi-rect", 30, 40, 160, 120, "--roi-threshold", "0.6", status=1)
    assert "without.png" in done.stderr and "region" in done.stderr
    rows = infer(tmp_path / "part", tmp_path / "out", *[data / f"{name}.png" for name in places], data / "without.png", status=1)
    for (x, y), row in zip(places.values(), rows):
        assert row["rect"] == {"x": x, "y": y, "width": 160, "height": 120} and row["correlation"] > 0.99
    assert rows[-1]["status"] == "no region" and rows[-1]["correlation"] < 0.6
    assert Image.open(tmp_path / "out/a.png.heat.png").size == (160, 120)


# ---- Bad input -------------------------------------------------------------------------------------------------------------


def test_what_cannot_be_trained_is_told(trained, tmp_path):
    def fails(*arguments, status=1):
        return patchcore("train", "--data-dir", trained / "brick", "--output", tmp_path, *arguments, status=status).stderr

    assert "layer9" in fails("--backbone", "resnet18", "--layers", "layer9", "--no-export")
    assert "8, 16 and 32" in fails("--layers", "8", "12", "--no-export")
    assert "nowhere" in patchcore("train", "--data-dir", tmp_path / "nowhere", "--output", tmp_path, status=1).stderr
    same = tmp_path / "same"
    same.mkdir()
    for i in range(3):
        Image.new("RGB", (224, 224), (90, 120, 60)).save(same / f"{i}.png")
    done = patchcore("train", "--data-dir", same, "--output", tmp_path, "--coreset-ratio", "1", "--held-out", "0", status=1)
    assert "differ" in done.stderr


def test_a_model_that_is_not_whole_is_told(trained, model, tmp_path):
    picture = trained / "brick/test/good/000.png"
    text = (model / "model.xml").read_text()

    def fails():
        return patchcore("infer", model, picture, "--out", tmp_path / "o", status=1).stderr

    (model / "model.xml").write_text(text.replace('version="11"', 'version="7"', 1))
    assert "model.xml" in fails()
    (model / "model.xml").write_text(text)
    (model / "thresholds.json").rename(model / "t")
    assert "thresholds.json" in fails()
    (model / "t").rename(model / "thresholds.json")
    config = (model / "config.yaml").read_text()
    (model / "config.yaml").write_text(config.replace("image_width: 224", "image_width: 256"))
    assert "config.yaml" in fails()
    (model / "config.yaml").write_text(config)
    (model / "model.bin").unlink()
    assert "model.bin" in fails()


def test_a_full_disk_leaves_no_half_files(trained, model):
    """No file may grow beyond 100 kB: what a full disk is to the program."""
    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write then fails
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    for name in ("model.xml", "model.bin", "parity.json"):
        (model / name).unlink()
    done = patchcore("export", model, "--data-dir", trained / "brick", status=1, preexec_fn=limited)
    assert "model" in done.stderr
    assert not [path.name for path in model.iterdir() if path.name.startswith("model.") or path.name.endswith((".part", ".tmp"))]
    patchcore("export", model, "--data-dir", trained / "brick")


def test_memory_that_is_not_to_be_had_is_one_line(trained, tmp_path):
    """Twelve pictures of 2,048 px in one batch, in 3 GB."""
    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))

    arguments = ("train", "--data-dir", trained / "brick", "--output", tmp_path, "--pattern-name", "large", "--no-export", "--held-out", "0")
    done = patchcore("--threads", "1", *arguments, "--image-size", 2048, 2048, "--batch-size", 12, status=1, preexec_fn=limited)
    assert "out of memory" in done.stderr and "GB" in done.stderr and done.stderr.count("\n") == 1
    patchcore(*arguments, "--image-size", 224, 224)  # what was left behind is in nobody's way


def test_one_unreadable_picture_among_a_thousand(trained, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    small = Image.open(trained / "brick/train/good/000.png").resize((32, 32))
    random = np.random.default_rng(0)
    for i in range(1000):
        pixels = np.asarray(small).astype(int) + random.integers(-8, 9, (32, 32))
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(data / f"{i:04}.png")
    (data / "0500.png").write_bytes((data / "0500.png").read_bytes()[:200])
    done = patchcore("train", "--data-dir", data, "--output", tmp_path, "--pattern-name", "many", "--coreset-ratio", "0.002",
                     "--image-size", 32, 32, "--held-out", "0", "--set", "blur_sigma_px=1", "--no-export", status=1)
    assert "0500.png" in done.stderr and "1 pictures" in done.stderr
    assert "999 pictures" in done.stdout
