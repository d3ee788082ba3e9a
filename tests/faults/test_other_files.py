# SPDX-License-Identifier: Apache-2.0
"""Files that name others: none of those is opened, on the disk or on the network, and nothing is written outside of the folder
that was asked for."""

import json
import pathlib
import socket
import threading

import numpy as np
import pytest
from PIL import Image

import geotiff
from program import run

VSI = "/vsicurl/http://127.0.0.1:{port}/other.tif"


class Listener:
    """Counts who connects to a port of this machine."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.connections = self.socket.getsockname()[1], 0
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def serve(self):
        while True:
            try:
                other, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            other.close()

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()


def opened(path, options=""):
    code = f"local im = require 'imatch' local map, why = im.render.map('{path}'{options}) print(why or 'opened')"
    return run("--no-cache", "-e", code).stdout.strip()


def test_the_listener_sees_who_connects():
    with Listener() as listener:
        socket.create_connection(("127.0.0.1", listener.port)).close()
        for _ in range(100):
            if listener.connections:
                break
            threading.Event().wait(0.02)
    assert listener.connections == 1


@pytest.mark.parametrize("where", ["inside", "beside, asked for"])
def test_a_map_that_names_overviews_elsewhere_reaches_no_network(tmp_path, where):
    with Listener() as listener:
        url = VSI.format(port=listener.port)
        if where == "inside":
            path = geotiff.write(tmp_path / "map.tif", metadata=f'<Item name="OVERVIEW_FILE" domain="OVERVIEWS">{url}</Item>')
            said = opened(path)
        else:
            path = geotiff.write(tmp_path / "map.tif")
            (tmp_path / "map.tif.aux.xml").write_text(
                f'<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{url}</MDI></Metadata></PAMDataset>')
            assert opened(path) == "opened"  # without its side files
            said = opened(path, ", { side_files = true }")
        assert "names another file as its overviews" in said and str(path) in said
    assert listener.connections == 0


def test_a_map_opens_no_other_file(tmp_path):
    path = geotiff.write(tmp_path / "map.tif")
    for name in ("map.tif.ovr", "map.tif.msk", "map.ovr"):
        geotiff.write(tmp_path / name, 32, 32)
    (tmp_path / "map.tfw").write_text("2\n0\n0\n-2\n0\n0\n")
    (tmp_path / "map.tif.aux.xml").write_text("<PAMDataset></PAMDataset>")
    for name in tmp_path.iterdir():
        if name != path:
            name.chmod(0)
    assert opened(path) == "opened"


def everything_below(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


def manifest(folder, alias="a", cfg=None, label="L1", key="photos", folder_template="{capture_id}", file_template="L1_{frame:04d}.jpg"):
    photo = folder / "data/01/c1/L1_0001.jpg"
    photo.parent.mkdir(parents=True)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(photo)
    model = {"weights": [alias], "target_res": 64, "image_groups": [{"folder": ["c1"], "indices": [1]}],
             "outputs": {"global": {"npy": True, "json": True}}} | ({"embedding_cfg": cfg} if cfg else {})
    data_key = {"datasets": {key: {"root": "01", "folder_template": folder_template, "filename_template": file_template,
                                   "images": {"c1": {"label": label}}}},
                "weights": {"set": {"x": {alias: ["dense_sift", "a.pth", "LVD"]}}}}
    (folder / "data_key.json").write_text(json.dumps(data_key))
    (folder / "manifest.json").write_text(json.dumps(
        {"dataset_key": key, "weight_set": "set", "reference_embed_root": "emb", "experiment": {"variant": {"raw": True}},
         "models": [model]}))
    (folder / "a/b").mkdir(parents=True)


def embed(folder, status):
    return run("--quiet", "--no-cache", "embed", "--manifest", "manifest.json", "--data-key", "data_key.json", "--dataset-root",
               "data", "--embed-root", "a/b/c", cwd=folder, status=status)


def test_embeddings_as_named_lie_below_their_folder(tmp_path):
    manifest(tmp_path)
    embed(tmp_path, 0)
    assert any(name.startswith("a/b/c/photos/a/L1/") and name.endswith(".npy") for name in everything_below(tmp_path))


@pytest.mark.parametrize("names", [{"alias": "../../../../ESCAPED/alias"}, {"cfg": "/../../../../../../ESCAPED/cfg"},
                                   {"label": "../../../../../ESCAPED/label"}, {"key": "../../../ESCAPED/key"}])
def test_embeddings_stay_below_their_folder(tmp_path, names):
    inner = tmp_path / "inner"
    inner.mkdir()
    manifest(inner, **names)
    done = embed(inner, None)
    assert done.returncode == 1 and "'..'" in done.stderr, done.stderr
    assert not any("ESCAPED" in name for name in everything_below(tmp_path)), everything_below(tmp_path)


def test_references_stay_below_their_folder(tmp_path):
    manifest(tmp_path, key="x/../../../ESCAPED")
    done = run("--quiet", "reference", "--data-key", "data_key.json", "--dataset", "x/../../../ESCAPED", "--dataset-root", "data", "--out",
               "a/b", cwd=tmp_path, status=1)
    assert "'..'" in done.stderr
    other = tmp_path / "other"
    other.mkdir()
    manifest(other, folder_template="../01/c1/../{capture_id}")  # which may be read, but not written to
    done = run("--quiet", "reference", "--data-key", "data_key.json", "--dataset", "photos", "--dataset-root", "data", "--out",
               "a/b", cwd=other, status=1)
    assert "'..'" in done.stderr
    assert not any(p.suffix == ".jpg" for p in (other / "a").rglob("*")) and not (tmp_path / "ESCAPED").exists()


def test_pictures_of_pair_files_stay_below_their_folder(tmp_path):
    rng = np.random.default_rng(1)
    for name in ("S_300_0001", "S_400_0001"):
        small = Image.fromarray(rng.integers(0, 255, (16, 16, 3), np.uint8))
        small.resize((320, 240), Image.Resampling.BICUBIC).save(tmp_path / f"{name}.png")
    run("--quiet", "run", "--images", tmp_path, "-w", "dense_sift", "-a", "400.0001", "-b", "300.0001", "--out", tmp_path / "out")
    made = next((tmp_path / "out/pair_match").rglob("*.json"))
    pair = json.loads(made.read_text())
    (tmp_path / "x/a/b").mkdir(parents=True)
    for weight in ("../../../../ESCAPED/x", "/tmp/../x"):
        pair["weight"] = weight
        hostile = tmp_path / "x" / "pair.json"
        hostile.write_text(json.dumps(pair))
        done = run("--quiet", "vis", hostile, "--out", tmp_path / "x/a/b/o", "--images", tmp_path, status=1)
        assert "weight: the name" in done.stderr, done.stderr
    assert not any("ESC" in name for name in everything_below(tmp_path))
    assert not list(pathlib.Path(tmp_path / "x").rglob("*.png"))
