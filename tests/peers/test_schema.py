# SPDX-License-Identifier: Apache-2.0
"""The JSON Schemas of docs/schema: they take what the program takes and writes, and refuse what it refuses."""

import copy
import json
import re

import pytest

from files import read_json, write_json
from pictures import picture
from program import ROOT, run

jsonschema = pytest.importorskip("jsonschema")


def schema(name):
    loaded = json.loads((ROOT / f"docs/schema/{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(loaded)
    return jsonschema.Draft202012Validator(loaded)


def examples(heading):
    """The JSON examples of a section of docs/files.md."""
    page = (ROOT / "docs/files.md").read_text()
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", page, re.M | re.S).group(1)
    return [json.loads(text) for text in re.findall(r"^```json\n(.*?)^```$", section, re.M | re.S)]


KEY, = examples(r"data_key\.json")
MANIFEST, = examples(r"manifest\.json")
LABELS, = examples(r"labels\.json")
PAIR, = examples("Pair files")


def program_takes(folder, key, manifest):
    write_json(folder / "key.json", key)
    write_json(folder / "manifest.json", manifest)
    return run("embed", "--manifest", folder / "manifest.json", "--data-key", folder / "key.json", "--list", status=None).returncode == 0


def changed(document, path, value):
    document = copy.deepcopy(document)
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    if value is KeyError:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return document


def test_the_examples_are_taken(tmp_path):
    schema("data_key").validate(KEY)
    schema("manifest").validate(MANIFEST)
    schema("labels").validate(LABELS)
    schema("labels").validate({"c_0007.jpg": {"lat": 48.1372, "lon": 11.5756}})
    schema("pair").validate(PAIR)
    assert program_takes(tmp_path, KEY, MANIFEST)
    write_json(tmp_path / "pair.json", PAIR)
    run("-e", f"assert(require('imatch').pairs.read '{tmp_path}/pair.json')")
    write_json(tmp_path / "labels.json", LABELS)
    run("-e", f"assert(require('imatch').retrieval.positions '{tmp_path}/labels.json')")
    schema("manifest").validate(MANIFEST | {"$schema": "manifest.schema.json"})
    assert program_takes(tmp_path, KEY | {"$schema": "data_key.schema.json"}, MANIFEST | {"$schema": "manifest.schema.json"})


@pytest.mark.parametrize("path, value", [
    (["datasets"], KeyError), (["datasets", "flight", "root"], KeyError), (["datasets", "flight", "colour"], "red"),
    (["datasets", "flight", "gt_sigma_m"], -1), (["datasets", "flight", "alt_ref"], "msl"),
    (["datasets", "flight", "images", "c"], [1]), (["datasets", "flight", "images", "c"], {"altitude": 3}),
    (["weights", "standard", "dinov2", "vits14"], ["a", "b"]), (["weights", "standard", "dinov2", "vits14", 2], "IMAGENET"),
], ids=str)
def test_wrong_data_keys_are_refused_by_both(tmp_path, path, value):
    wrong = changed(KEY, path, value)
    assert not schema("data_key").is_valid(wrong)
    assert not program_takes(tmp_path, wrong, MANIFEST)


@pytest.mark.parametrize("path, value", [
    (["dataset_key"], KeyError), (["models"], []), (["models", 0, "weights"], KeyError), (["models", 0, "target_res"], 0),
    (["models", 0, "target_res"], "448"), (["models", 0, "image_groups", 0, "indices"], [-1, 4]), (["modles"], []),
    (["models", 0, "outputs", "global", "npy"], "yes"), (["experiment", "variant", "sub", "stride"], [0]),
], ids=str)
def test_wrong_manifests_are_refused_by_both(tmp_path, path, value):
    wrong = changed(MANIFEST, path, value)
    assert not schema("manifest").is_valid(wrong)
    assert not program_takes(tmp_path, KEY, wrong)


def test_what_the_program_writes_is_taken(tmp_path):
    (tmp_path / "photos").mkdir()
    for i in (3, 4, 9):
        picture(120, 90).save(tmp_path / f"photos/P_{i:03d}.png")
    run("embed", "--init", "photos", cwd=tmp_path)
    schema("data_key").validate(read_json(tmp_path / "data_key.json"))
    schema("manifest").validate(read_json(tmp_path / "manifest.json"))
    run("--no-cache", "run", "-w", "dense_sift", "--images", "photos", "--out", "out", cwd=tmp_path)
    files = list((tmp_path / "out").rglob("dense_sift*.json"))
    assert len(files) == 6
    for path in files:
        schema("pair").validate(read_json(path))


LAYOUTS = {
    "numbered": ["IMG_0446.jpg", "IMG_0449.jpg"],
    "in a row": ["IMG_0446.jpg", "IMG_0447.jpg", "IMG_0448.jpg"],
    "by altitude": ["S_300_0001.jpg", "S_300_0007.jpg", "S_400_0001.jpg"],
    "folders": ["a/a_01.jpg", "a/a_02.jpg", "b/b_07.jpg"],
    "any": ["my photo.jpg", "Another.JPG", "x.png"],
    "mixed": ["top.jpg", "below/deeper/x.jpg"],
}


@pytest.mark.parametrize("names", LAYOUTS.values(), ids=LAYOUTS)
def test_init_describes_every_photo_whatever_its_name(tmp_path, names):
    for name in names:
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        picture(64, 48).save(tmp_path / "photos" / name)
    said = run("embed", "--init", tmp_path / "photos", cwd=tmp_path).stdout
    command = said.strip().split("\n")[-1]
    assert f"describe {len(names)} pictures" in said and command.startswith("imatch-lua embed --manifest manifest.json")
    done = run("--no-cache", *command.split()[1:], cwd=tmp_path)
    assert f"{len(names)} embedded, 0 there before, 0 failed, 0 missing" in done.stdout
    assert len(list((tmp_path / "embeddings").rglob("*.npy"))) == len(names)
    assert "is there already; --overwrite replaces it" in run("embed", "--init", "photos", cwd=tmp_path, status=1).stderr
