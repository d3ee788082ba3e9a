# SPDX-License-Identifier: Apache-2.0
"""The README: short, every command in it runs as it is printed, in order, in a fresh folder, and its links lead somewhere; and so
do those of docs/, whose examples of files and of Python are run, too."""

import math
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from files import read_csv
from program import PROGRAM, ROOT, environment

README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def fresh_folder(folder):
    """What a checkout has as far as users name it, and a program that is built: `./setup` has a test of its own."""
    for name in ("docs", "experiments", "python"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "setup").write_text(f"#!/bin/sh\nmkdir -p build && ln -sf '{PROGRAM}' build/imatch-lua\n")
    (folder / "setup").chmod(0o755)


def add_survey(folder, data):
    """photos/ with a photo, and map.tif, the piece of the Seneca survey's map around it."""
    rows = read_csv(data / "seneca_map/queries.csv")
    row = rows[len(rows) // 2]
    (folder / "photos").mkdir()
    shutil.copy(data / "seneca" / row["file"], folder / "photos")
    map_file = str(data / "seneca_map/map.tif")
    place = subprocess.run(["gdallocationinfo", "-wgs84", map_file, row["longitude_deg"], row["latitude_deg"]], capture_output=True,
                           text=True, check=True).stdout
    x, y = (int(number) for number in re.search(r"\((\d+)P,(\d+)L\)", place).groups())
    info = subprocess.run(["gdalinfo", map_file], capture_output=True, text=True, check=True).stdout
    width, height = (abs(float(degrees)) for degrees in re.search(r"Pixel Size = \(([-\d.]+),([-\d.]+)\)", info).groups())
    half_x, half_y = round(50 / 111320 / math.cos(math.radians(float(row["latitude_deg"]))) / width), round(50 / 111320 / height)
    subprocess.run(["gdal_translate", "-q", "-srcwin", str(x - half_x), str(y - half_y), str(2 * half_x), str(2 * half_y), map_file,
                    str(folder / "map.tif")], check=True)


def test_it_is_short():
    assert len(README.split()) <= 900


def test_every_command_runs_as_printed(tmp_path, data):
    fresh_folder(tmp_path)
    add_survey(tmp_path, data)
    for name, text in re.findall(r"Put this into `([\w.]+)`[^\n]*\n\n```lua\n(.*?)^```$", README, re.M | re.S):
        (tmp_path / name).write_text(text)
    commands = "".join(blocks(README, "sh"))
    assert commands.count("\n") >= 10
    # One shell for all, as a reader has one; it stops at what fails and says which it was.
    out = subprocess.run(["bash", "-ec", "trap 'echo FAILED: $BASH_COMMAND >&2' ERR\n" + commands], cwd=tmp_path, capture_output=True,
                         text=True, check=False, timeout=900,
                         env=environment({"IMATCH_LUA": None, "PYTHONPATH": None, "XDG_CACHE_HOME": str(tmp_path / "cache"),
                                          "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"}))
    assert out.returncode == 0, out.stderr[-3000:]
    assert re.search(r"^matched +docs/a.jpg  docs/b.jpg: \d+ of \d+ matches agree", out.stdout, re.M), out.stdout
    assert re.search(r"^Matches\(\d+ of ", out.stdout, re.M)
    for left in ("matches.png", "out/a_b.jpg", "out/a_b.json"):
        assert (tmp_path / left).stat().st_size > 1000
    run, = [path for path in (tmp_path / "runs/rotation").iterdir() if path.is_dir() and not path.is_symlink()]
    assert len(read_csv(run / "results.csv")) == 8
    found, = (tmp_path / "runs/localize").glob("*/predictions.geojson")
    assert '"photo"' in found.read_text() or "query" in found.read_text()
    assert int(out.stdout.strip().split("\n")[-1]) > 20  # by Python


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        if page.name == "CONTRIBUTING.md" or target == "docs/container.md":
            continue
        assert (page.parent / target).exists(), target



def test_python_of_the_docs_runs(tmp_path, data):
    """docs/python.md, block by block in one process, on a sweep and an export made before."""
    for module in ("pandas", "duckdb", "h5py", "pycolmap", "tensorboard"):
        pytest.importorskip(module)
    fresh_folder(tmp_path)
    (tmp_path / "sweep.lua").write_text("""
      require("imatch").sweep { name = "s", out = "runs", axes = { x = { 1, 2, 3 }, z = { 1, 2 } },
        measure = function(p) return { y = p.x * 2 + p.z } end }
    """)
    env = environment({"IMATCH_LUA": PROGRAM, "PYTHONPATH": str(tmp_path / "python"), "XDG_CACHE_HOME": str(tmp_path / "cache")})

    def program(*arguments):
        subprocess.run([PROGRAM, *arguments], cwd=tmp_path, env=env, check=True, capture_output=True)

    program("sweep.lua")
    os.symlink(next(path for path in (tmp_path / "runs/s").iterdir() if path.is_dir() and not path.is_symlink()), tmp_path / "run")
    (tmp_path / "photos").mkdir()
    for name in ("a.jpg", "b.jpg"):
        shutil.copy(ROOT / "docs" / name, tmp_path / "photos")
    program("export", "photos", "--backbone", "efficientnet_lite0 image_size=224", "--out", "sfm")
    code = "\n".join(blocks((ROOT / "docs/python.md").read_text(), "python"))
    code += """
assert pair["matched"] and pair["num_inliers"] > 20
assert run.folders and len(run.results()) > 1
assert features.tokens.shape[2] == 112 and features.image_size == (800, 600)
assert len(table) == 6 and table["y"].sum() == 33
assert database.num_images() == 2
assert list(__import__("pathlib").Path("tensorboard").iterdir())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
