# SPDX-License-Identifier: Apache-2.0
"""imatch-lua patchcore on real textures: what the exported files say to OpenVINO's Python, and how well defects are found."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pages
import pytest
import textures
from PIL import Image

from program import ROOT

sys.path.insert(0, str(ROOT / ".deps/python/openvino"))
ov = pytest.importorskip("openvino")

PROGRAM = os.environ.get("IMATCH_LUA", os.path.join(os.path.dirname(__file__), "../../build/imatch-lua"))
needs_textures = pytest.mark.skipif(textures.folder() is None, reason="the scikit-image wheel is not installed")

MEAN = np.array([0.485, 0.456, 0.406], np.float32).reshape(3, 1, 1)
STD = np.array([0.229, 0.224, 0.225], np.float32).reshape(3, 1, 1)


def patchcore(*arguments, status=0):
    done = subprocess.run([PROGRAM, "--quiet", "patchcore", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    if textures.folder() is None:
        pytest.skip("the scikit-image wheel is not installed")
    root = tmp_path_factory.mktemp("patchcore")
    textures.write(root / "brick", "brick")
    patchcore("train", "--data-dir", root / "brick", "--output", root / "weights", "--coreset-ratio", "0.01")
    return root


def normalised(path):
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(np.float32).transpose(2, 0, 1) / 255
    return ((pixels - MEAN) / STD)[None]


def test_the_folder_is_what_the_inspection_program_loads(trained):
    model = trained / "weights/brick"
    names = {path.name for path in model.iterdir()}
    assert {"brick.xml", "brick.bin", "checkpoint.ckpt", "config.yaml", "norm_stats.txt", "thresholds.json", "parity.json"} <= names
    core = ov.Core()
    graph = core.read_model(model / "brick.xml")
    assert graph.input(0).any_name == "input"
    assert list(graph.input(0).shape) == [1, 3, 224, 224]
    assert [output.any_name for output in graph.outputs] == ["anomaly_map", "pred_score"]
    assert len(graph.output(0).partial_shape) == 4
    graph.reshape([1, 3, 256, 320])
    assert list(graph.output(0).shape) == [1, 1, 256, 320]
    graph.reshape([1, 3, 224, 224])
    compiled = core.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    picture = trained / "brick/test/blob/000.png"
    result = compiled(normalised(picture))
    assert result[1].shape == (1,) and result[1][0] > 0
    patchcore("infer", model, picture, "--out", trained / "out", "--engine", "libtorch")
    ours = json.loads((trained / "out/000.png.json").read_text())
    assert result[1][0] == pytest.approx(ours["score"], rel=1e-3)
    np.testing.assert_allclose(result[0][0, 0], np.load(trained / "out/000.png.map.npy"), rtol=2e-3, atol=1e-3)
    stats = dict(line.split("=") for line in (model / "norm_stats.txt").read_text().split())
    assert list(stats) == ["max_score", "mean_score", "std_score", "max_pixel", "mean_pixel", "num_samples"]
    assert int(stats["num_samples"]) == 36
    parity = json.loads((model / "parity.json").read_text())
    assert parity["holds"] and parity["pictures"] == 34
    assert parity["float32"]["largest_relative_difference"] < 1e-3


def auroc_of(found, kinds):
    """Of the pictures with these kinds of damage and all normal ones: the kinds have as many pictures each."""
    return np.mean([kind["auroc"] for kind in found["kinds"] if kind["kind"] in kinds])


@needs_textures
@pytest.mark.parametrize("name", textures.NAMES)
def test_defects_of_textures_are_found(trained, name):
    root = trained
    if name != "brick":
        textures.write(root / name, name)
        patchcore("train", "--data-dir", root / name, "--output", root / "weights", "--coreset-ratio", "0.01")
    patchcore("evaluate", root / "weights" / name, "--data-dir", root / name)
    found = json.loads((root / "weights" / name / "evaluation.json").read_text())
    print(name, found["kinds"], found["pixels"], found["latency"])
    assert {kind["kind"] for kind in found["kinds"]} == {*textures.KINDS, *textures.HARD}
    assert auroc_of(found, textures.KINDS) >= 0.98
    assert found["pixels"]["auroc"] > 0.8
    # What looks like the texture itself: brick is regular enough for both.
    assert auroc_of(found, textures.HARD) >= (0.98 if name == "brick" else 0.6)


@needs_textures
def test_the_page_is_one_of_our_pages_and_begins_with_the_answer(trained, tmp_path, browser):
    """A data set with a picture that cannot be read; a threshold at which some decisions are wrong."""
    root, model, out = tmp_path / "data", trained / "weights/brick", tmp_path / "out"
    (root / "test").mkdir(parents=True)
    for kind in ("good", "blob", "shade"):
        (root / "test" / kind).symlink_to(trained / "brick/test" / kind)
    (root / "train").symlink_to(trained / "brick/train")
    (root / "ground_truth").symlink_to(trained / "brick/ground_truth")
    strict = tmp_path / "weights/brick"
    shutil.copytree(model, strict)
    scores = sorted(s["score"] for s in rows_of(model, root, tmp_path / "first") if s["anomalous_truth"])
    thresholds = json.loads((strict / "thresholds.json").read_text())
    thresholds["image"] = scores[len(scores) // 3]  # a third of the defects is missed
    (strict / "thresholds.json").write_text(json.dumps(thresholds))
    rows = rows_of(strict, root, out)
    missed = [r for r in rows if r["anomalous_truth"] and r["score"] < thresholds["image"]]
    defective = [r for r in rows if r["anomalous_truth"]]
    assert 0 < len(missed) < len(defective)

    page = out / "evaluation.html"
    pages.check(browser, page, "patchcore")
    browser.open(page, "document.documentElement.dataset.drawn")
    sections = browser.evaluate("[...document.querySelectorAll('main > section')].filter((e) => !e.hidden).map((e) => e.id)")
    assert sections[:4] == ["answer", "summary", "scores-section", "worst-section"]
    answer = browser.evaluate("document.getElementById('answer-text').innerText")
    assert answer.startswith(f"{len(defective) - len(missed)} of {len(defective)} defective pictures are found and none of "), answer
    auroc = np.mean([[(d["score"] > n["score"]) + 0.5 * (d["score"] == n["score"]) for n in rows if not n["anomalous_truth"]]
                     for d in defective])
    assert f"scores higher than a normal one in {float(f'{100 * auroc:.3g}'):g} % of such pairs" in answer
    # The bars count every picture, those of defects below the line.
    bars = browser.evaluate("[...document.querySelectorAll('#scores svg [aria-roledescription=bar]')].map((b) => b.getAttribute('aria-label'))")
    ups = [int(re.search(r"pictures: ([−-]?\d+)", b)[1].replace("−", "-")) for b in bars]
    assert sum(u for u in ups if u > 0) == len(rows) - len(defective) and -sum(u for u in ups if u < 0) == len(defective)
    # Wrong decisions first, each with its picture, larger on a click.
    ranks = browser.evaluate("[...document.querySelectorAll('#worst .rank')].map((r) => r.className + ' ' + r.textContent)")
    assert len(ranks) == 6 and ranks[: min(6, len(missed))] == ["rank bad missed"] * min(6, len(missed))
    assert browser.evaluate("[...document.querySelectorAll('#worst img')].every((i) => i.naturalWidth >= 224)")
    browser.evaluate("document.querySelector('#worst img').click()")
    browser.wait("document.querySelector('dialog img').naturalWidth >= 224")
    assert browser.evaluate("document.querySelectorAll('#kinds-table tbody tr').length") == 2
    if len(missed) > 6:
        assert browser.evaluate("document.querySelectorAll('#wrong tbody tr').length") == len(missed)


def rows_of(model, data, out):
    """Evaluates; gives the rows that the page carries."""
    patchcore("evaluate", model, "--data-dir", data, "--out", out)
    text = (out / "evaluation.html").read_text()
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])["rows"]


def test_a_killed_training_goes_on_behind_its_last_stage(trained):
    def arguments(out):
        # So many picks that there is time to kill it.
        return [PROGRAM, "--quiet", "patchcore", "train", "--data-dir", str(trained / "brick"), "--output", str(trained / out),
                "--coreset-ratio", "0.05", "--no-export"]

    child = subprocess.Popen(arguments("killed"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stage = trained / "killed/brick/training/features.json"
    deadline = time.monotonic() + 300
    while not stage.exists() and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert not (trained / "killed/brick/checkpoint.ckpt").exists()
    features = stage.stat().st_mtime_ns
    again = subprocess.Popen(arguments("killed"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run(arguments("whole"), capture_output=True, check=True)
    assert again.wait() == 0
    assert not stage.exists() or stage.stat().st_mtime_ns == features
    for file in ("config.yaml", "checkpoint.ckpt", "norm_stats.txt"):
        assert (trained / "killed/brick" / file).read_bytes() == (trained / "whole/brick" / file).read_bytes()


def test_broken_pictures_are_listed_and_the_rest_is_done(trained, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for i in range(6):
        (data / f"{i}.png").write_bytes((trained / f"brick/train/good/00{i}.png").read_bytes())
    (data / "broken.jpg").write_bytes(b"no picture")
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(0, 65535, (200, 300), np.uint16)).save(data / "deep.png")
    Image.fromarray(random.integers(0, 255, (260, 240, 4), np.uint8), "RGBA").save(data / "alpha.png")
    Image.fromarray(random.integers(0, 255, (260, 240, 4), np.uint8), "CMYK").save(data / "cmyk.jpg")
    done = patchcore("train", "--data-dir", data, "--output", tmp_path, "--pattern-name", "mixed", "--coreset-ratio", "0.01",
                     status=1)
    assert "broken.jpg" in done.stderr and "1 pictures" in done.stderr
    assert "8 pictures" in done.stdout  # and one held out for the threshold
    one = tmp_path / "one"
    one.mkdir()
    (one / "a.png").write_bytes((data / "0.png").read_bytes())
    assert "expected 2 or more" in patchcore("train", "--data-dir", one, "--output", tmp_path, status=1).stderr
    assert "leaves none" in patchcore("train", "--data-dir", data, "--output", tmp_path, "--coreset-ratio", "1e-9", status=1).stderr


def test_an_altered_file_is_told(trained, tmp_path):
    import shutil

    model = tmp_path / "brick"
    shutil.copytree(trained / "weights/brick", model)
    with (model / "brick.bin").open("r+b") as file:
        file.write(b"xxxx")
    assert "parity.json" in patchcore("infer", model, trained / "brick/test/good/000.png", "--out", tmp_path / "o", status=1).stderr
    (model / "brick.xml").unlink()
    (model / "norm_stats.txt").unlink()
    assert "norm_stats.txt" in patchcore("infer", model, trained / "brick/test/good/000.png", "--out", tmp_path / "o", status=1).stderr
