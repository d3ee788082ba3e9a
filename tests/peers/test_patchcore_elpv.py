# SPDX-License-Identifier: Apache-2.0
"""imatch-lua patchcore on solar cells: ELPV (S. Deitsch et al., "Automatic classification of defective photovoltaic module cells
in electroluminescence images", 2019), which the elpv-dataset wheel brings for tests. Its pictures are not copied."""

import importlib.util
import json
import pathlib
import subprocess

import pytest

from program import PROGRAM

spec = importlib.util.find_spec("elpv_dataset")
if spec is None:
    pytest.skip("the elpv-dataset wheel is not installed", allow_module_level=True)
DATA = pathlib.Path(spec.submodule_search_locations[0]) / "data"


def cells():
    """Paths of the monocrystalline cells by how probably they are defective: 0, 1/3, 2/3 or 1."""
    found = {}
    for line in (DATA / "labels.csv").read_text().splitlines():
        path, probability, kind = line.split()
        if kind == "mono":
            found.setdefault(round(3 * float(probability)), []).append(DATA / path)
    return found


def folder(path, pictures):
    path.mkdir(parents=True)
    for picture in pictures:
        (path / picture.name).symlink_to(picture)


def evaluated(model, data, out):
    subprocess.run([PROGRAM, "--quiet", "patchcore", "evaluate", model, "--data-dir", data, "--out", out], check=True,
                   capture_output=True)
    return json.loads((out / "evaluation.json").read_text())


def test_defective_cells_are_told_from_normal_ones(tmp_path):
    by_thirds = cells()
    assert [len(by_thirds[thirds]) for thirds in range(4)] == [588, 117, 56, 313]
    folder(tmp_path / "split/train/good", by_thirds[0][:120])
    folder(tmp_path / "split/test/good", by_thirds[0][120:180])
    folder(tmp_path / "split/test/defective", by_thirds[3][:60])
    subprocess.run([PROGRAM, "--quiet", "patchcore", "train", "--data-dir", tmp_path / "split", "--output", tmp_path,
                    "--pattern-name", "mono", "--coreset-ratio", "0.01"], check=True, capture_output=True)
    found = evaluated(tmp_path / "mono", tmp_path / "split", tmp_path / "of_split")
    print("60 + 60:", found["image"])
    assert found["image"]["auroc"] >= 0.95

    # All the others, for the record: the doubtful ones are called so by people.
    folder(tmp_path / "all/train/good", by_thirds[0][:120])
    folder(tmp_path / "all/test/good", by_thirds[0][120:])
    for thirds, name in ((1, "one_third"), (2, "two_thirds"), (3, "defective")):
        folder(tmp_path / f"all/test/{name}", by_thirds[thirds])
    found = evaluated(tmp_path / "mono", tmp_path / "all", tmp_path / "of_all")
    print("all:", found["image"], found["kinds"])
    by_kind = {kind["kind"]: kind["auroc"] for kind in found["kinds"]}
    assert by_kind["defective"] > 0.84 and by_kind["defective"] > by_kind["one_third"]
