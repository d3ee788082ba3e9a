# SPDX-License-Identifier: Apache-2.0
"""Embedding, matching, localising and rasterising divided among processes: by torchrun, by Slurm on two nodes of which one dies. The
files are those of one process, bit by bit, and nothing is made twice but what was under way on the node that died."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import time

import pytest

import program
import slurm
from files import read_csv
from program import PROGRAM

FRAMES = list(range(446, 506, 3))


@pytest.fixture(scope="module")
def project(tmp_path_factory, data):
    """A data set of 20 photographs, and its manifest."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "photos/flight").mkdir(parents=True)
    for frame in FRAMES:
        shutil.copy(data / f"seneca/IMG_{frame:04d}.jpg", folder / f"photos/flight/flight_{frame:04d}.jpg")
    (folder / "data_key.json").write_text(json.dumps({
        "datasets": {"d": {"root": ".", "folder_template": "{capture_id}", "filename_template": "{capture_id}_{frame:04d}.jpg",
                           "images": {"flight": 300}}},
        "weights": {"w": {"f": {"efficientnet_lite0": ["efficientnet_lite0", "none.pth", "LVD"]}}}}))
    written = {"npy": True, "json": True}
    (folder / "manifest.json").write_text(json.dumps({
        "dataset_key": "d", "weight_set": "w", "experiment": {"variant": {"raw": True, "sub": {"use": False, "stride": []}}},
        "models": [{"weights": ["efficientnet_lite0"], "target_res": 960, "embedding_cfg": None,
                    "image_groups": [{"folder": ["flight"], "indices": [446, 505]}],
                    "outputs": {"global": written, "patch": written, "grid": {"npy": False, "json": False}},
                    "run": {"test_embedding": True, "generate_denseft": False}}]}))
    return folder


def command(project, root):
    return ["--no-cache", "--threads", "1", "embed", "--manifest", project / "manifest.json", "--data-key", project / "data_key.json",
            "--dataset-root", project / "photos", "--embed-root", root, "--batch", "1"]


def vectors(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in pathlib.Path(root).rglob("*.npy")}


@pytest.fixture(scope="module")
def alone(project):
    program.run(*command(project, project / "alone"))
    made = vectors(project / "alone")
    assert len(made) == 2 * len(FRAMES)
    return made


def num_embedded(text):
    return sum(int(number) for number in re.findall(r"(\d+) embedded", text))


def torchrun(*arguments, pattern):
    """The command in two processes under torchrun: what `pattern` finds in each one's output, as numbers."""
    launcher = pathlib.Path(sys.executable).parent / "torchrun"
    done = subprocess.run([launcher, "--standalone", "--nproc-per-node=2", "--no-python", PROGRAM, *map(str, arguments)],
                          capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    each = [int(number) for number in re.findall(pattern, done.stdout)]
    assert len(each) == 2 and min(each) > 0, done.stdout
    return each


def test_torchrun_divides_the_images(project, alone, tmp_path):
    assert sum(torchrun(*command(project, tmp_path), pattern=r"(\d+) embedded")) == len(FRAMES)
    assert vectors(tmp_path) == alone
    assert not list(tmp_path.rglob("*.claim*")) and not list(tmp_path.rglob("*.alive"))


def test_two_slurm_nodes_and_one_of_them_dies(project, alone, tmp_path, tmp_path_factory):
    if slurm.why_not():
        pytest.skip(slurm.why_not())
    root = tmp_path / "out"
    try:
        cluster = slurm.Cluster(tmp_path_factory.mktemp("slurm") / "cluster").__enter__()
    except RuntimeError as error:
        pytest.skip(f"Slurm does not start here: {error}")
    try:
        job = subprocess.Popen(["srun", "-N2", "-n2", "--ntasks-per-node=1", "--no-kill", "--kill-on-bad-exit=0", PROGRAM,
                                *map(str, command(project, root))], cwd=tmp_path, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=cluster.environment)
        deadline = time.monotonic() + 120
        while len(vectors(root)) < 8 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(list(root.rglob("*.alive"))) == 2
        assert cluster.kill_node("n2") >= 2  # its daemon and the process
        try:
            job.communicate(timeout=60)
        except subprocess.TimeoutExpired:  # Slurm itself waits for the node; what counts is that the other node goes on
            job.kill()
            job.communicate()
    finally:
        cluster.__exit__()
    # The other node's process has taken over what was under way; whoever comes afterwards has nothing to do.
    assert vectors(root) == alone
    assert num_embedded(program.run(*command(project, root)).stdout) == 0


def test_pairs_are_divided(data, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for i, frame in enumerate(FRAMES[:6]):
        shutil.copy(data / f"seneca/IMG_{frame:04d}.jpg", photos / f"S_{300 + 100 * (i % 2)}_{frame:04d}.jpg")

    def arguments(out):
        return ["run", "-w", "efficientnet_lite0", "--images", photos, "--out", out]

    def pairs(out):
        found = {}
        for path in pathlib.Path(out).rglob("*.json"):
            content = json.loads(path.read_text())
            del content["time_ms"], content["meta"]
            found[path.relative_to(out).as_posix()] = content
        return found
    program.run(*arguments(tmp_path / "alone"))
    world = {"WORLD_SIZE": "2"}
    processes = [program.start(*map(str, arguments(tmp_path / "two")), env=world | {"RANK": str(rank)}) for rank in range(2)]
    counts = [tuple(map(int, re.search(r"pairs_to_run=(\d+): (\d+) run", program.finish(process)[0]).groups()))
              for process in processes]
    assert pairs(tmp_path / "two") == pairs(tmp_path / "alone") and len(pairs(tmp_path / "two")) == 30
    assert sum(run for _, run in counts) == 30, counts
    assert "start it alone" in program.run(*arguments(tmp_path / "two"), "--force", env=world, status=1).stderr


def test_torchrun_divides_the_samples_of_a_mesh(data, tmp_path):
    def words(out):
        return ("--threads", "1", "pointmap", "raster", data / "fox/Fox.glb", "--out", tmp_path / out, "--count", "40", "--size", "128")

    def files(out):
        return {path.relative_to(tmp_path / out): path.read_bytes() for path in (tmp_path / out).rglob("*.*") if path.is_file()}
    program.run(*words("alone"))
    assert sum(torchrun(*words("two"), pattern=r"(\d+) rendered now")) == 40
    assert files("two") == files("alone") and len(files("two")) > 3 * 40
    assert "start it alone" in program.run(*words("two"), "--force", env={"WORLD_SIZE": "2"}, status=2).stderr


def test_torchrun_divides_the_photos_of_a_map(data, tmp_path):
    """A part of the orthomosaic, and the photos taken over it."""
    rasterio, windows = pytest.importorskip("rasterio"), pytest.importorskip("rasterio.windows")
    truth = read_csv(data / "seneca_map/queries.csv")[20:24]
    longitudes, latitudes = ([float(row[name]) for row in truth] for name in ("longitude_deg", "latitude_deg"))
    with rasterio.open(data / "seneca_map/map.tif") as whole:  # in degrees; 0.0006 of them are 50 m to 67 m
        bounds = min(longitudes) - 6e-4, min(latitudes) - 6e-4, max(longitudes) + 6e-4, max(latitudes) + 6e-4
        window = windows.from_bounds(*bounds, whole.transform).intersection(windows.Window(0, 0, whole.width, whole.height))
        window = window.round_offsets().round_lengths()
        with rasterio.open(tmp_path / "map.tif", "w", driver="GTiff", dtype="uint8", count=3, crs=whole.crs, width=int(window.width),
                           height=int(window.height), transform=whole.window_transform(window)) as part:
            part.write(whole.read(window=window))
    photos = tmp_path / "photos"
    photos.mkdir()
    for row in truth:
        shutil.copy(data / "seneca" / row["file"], photos)

    def words(out):
        return ("--threads", "1", "--cache", tmp_path / "cache", "localize", "--map", tmp_path / "map.tif", "--photos", photos,
                "--footprint-m", "84", "--scales", "1", "--heading-step-deg", "45", "--pictures", "0", "--out", tmp_path / out)

    def results(out):
        """Rows by photo, without times and whose they are, and the summary's metrics."""
        (folder,) = (tmp_path / out / "localize").iterdir()
        rows = {row["photo"]: {name: value for name, value in row.items() if not name.endswith("_ms")}
                for row in read_csv(folder / "results.csv")}
        metrics = json.loads((folder / "summary.json").read_text())["metrics"]
        return rows, [metric for metric in metrics if "time" not in metric["name"]], folder
    program.run(*words("alone"))
    assert sum(torchrun(*words("two"), pattern=r"localize: \d+ cells, (\d+) measured")) == len(truth)
    rows, metrics, folder = results("two")
    assert (rows, metrics) == results("alone")[:2] and len(rows) == len(truth)
    assert sum(row["found"] == "true" for row in rows.values()) >= 3
    assert len(json.loads((folder / "predictions.geojson").read_text())["features"]) >= len(truth)
