# SPDX-License-Identifier: Apache-2.0
"""embed against the Python way (Pillow, PyTorch, the same network) and the pipeline that it replaces, and embed, reference, search on
bad input."""

import json
import os

import numpy as np
import pytest

from files import read_json, write_json
from pictures import blotches
from program import WEIGHTS, run

FILE = "efficientnet-lite0-57934424.pth"


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(2)
    (tmp_path / "set/a").mkdir(parents=True)
    for frame in (1, 2, 3, 5):
        blotches(rng, (16, 12), (320, 240)).save(tmp_path / f"set/a/a_{frame:04d}.png")
    (tmp_path / "set/a/a_0004.png").write_bytes(b"\x89PNG\r\n\x1a\n not one")
    key = {"datasets": {"set": {"root": "set", "folder_template": "{capture_id}", "filename_template": "{capture_id}_{frame:04d}.png",
                                "images": {"a": {"label": "L"}}}},
           "weights": {"w": {"x": {"efficientnet_lite0": ["efficientnet_lite0", FILE, "LVD"]}}}}
    manifest = {"dataset_key": "set", "weight_set": "w", "query_embed_root": str(tmp_path / "out"),
                "experiment": {"variant": {"raw": True, "sub": {"use": True, "stride": [3]}}},
                "models": [{"weights": "efficientnet_lite0", "target_res": 230, "embedding_cfg": None,
                            "image_groups": [{"folder": "a", "indices": [1, 6]}],
                            "outputs": {name: {"npy": True, "json": True} for name in ("global", "patch", "grid")}}]}
    write_json(tmp_path / "key.json", key)
    (tmp_path / "manifest.json").write_text("\ufeff" + json.dumps(manifest))
    return tmp_path


def embed(folder, *options):
    return run("--no-cache", "embed", "--manifest", folder / "manifest.json", "--data-key", folder / "key.json",
               "--dataset-root", folder, *options, status=None)


def stem(folder, kind, variant, frame):
    return folder / f"out/set/efficientnet_lite0/L/{kind}/{kind}_res230_{variant}_efficientnet_lite0_LVD_L_{frame:04d}"


def test_vectors_are_those_of_the_network_in_python(folder):
    torch = pytest.importorskip("torch")
    efficientnet = pytest.importorskip("efficientnet_lite_pytorch").EfficientNet
    from PIL import Image

    network = efficientnet.from_pretrained("efficientnet-lite0", weights_path=str(WEIGHTS / FILE), image_size=(224, 224)).eval()
    done = embed(folder)
    assert done.returncode == 1 and "a_0004.png" in done.stderr and "a_0006.png" in done.stderr  # damaged; missing
    assert "4 embedded" in done.stdout and "1 failed, 1 missing" in done.stdout
    for frame in (1, 2, 3, 5):
        image = Image.open(folder / f"set/a/a_{frame:04d}.png").convert("RGB").resize((224, 224), Image.BICUBIC)
        x = (torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() - 127) / 128
        with torch.no_grad():
            y = network._swish(network._bn0(network._conv_stem(x[None])))
            for block in network._blocks[:11]:  # the last of stride 16
                y = block(y)
        tokens = y[0].permute(1, 2, 0).numpy()
        grid = np.load(f"{stem(folder, 'PatchGrid', 'raw', frame)}.npy")
        assert grid.shape == tokens.shape
        np.testing.assert_allclose(grid, tokens, atol=2e-4 * np.abs(tokens).max())
        np.testing.assert_allclose(np.load(f"{stem(folder, 'PatchToken', 'raw', frame)}.npy"), grid.reshape(-1, grid.shape[-1]))
        np.testing.assert_allclose(np.load(f"{stem(folder, 'PatchGrid', 'sub3', frame)}.npy"), grid[::3, ::3])
        vector = np.load(f"{stem(folder, 'GlobalToken', 'raw', frame)}.npy")
        np.testing.assert_allclose(vector, grid.mean((0, 1)), rtol=1e-4, atol=1e-5)
        meta = read_json((folder / f"{stem(folder, 'GlobalToken', 'raw', frame)}_meta.json"))
        assert meta["files"]["vector"]["size_bytes"] == os.path.getsize(meta["files"]["vector"]["path"])
        assert meta["config"]["dataset_type"] == "query" and meta["config"]["index"] == frame


def test_what_is_there_is_not_made_again_and_the_report_lists_what_is_missing(folder):
    embed(folder)
    kept = os.stat(f"{stem(folder, 'GlobalToken', 'raw', 1)}.npy").st_mtime_ns
    os.remove(f"{stem(folder, 'PatchGrid', 'sub3', 2)}.npy")
    done = embed(folder)
    assert "1 embedded, 3 there before" in done.stdout
    assert os.stat(f"{stem(folder, 'GlobalToken', 'raw', 1)}.npy").st_mtime_ns == kept
    run_ = read_json((folder / "out/set/embed_report.json"))["runs"][0]
    assert [os.path.basename(p) for p in run_["missing"]] == ["a_0006.png"]
    assert "a_0004.png" in run_["failed"][0]["path"]


def test_vectors_of_dino_are_those_of_the_replaced_pipeline(folder, data):
    """A JPEG that is resized: float32, bicubic, antialiased, an exact square; the mean of all tokens before the final norm."""
    torch = pytest.importorskip("torch")
    from PIL import Image

    from backbones import IMAGENET
    from dino_models import convnext, official_convnext
    from preprocessing import normalised, resized_in_float

    model = convnext("cxTiny")
    model.save_pretrained(folder / "hf")
    (folder / "weights/x").mkdir(parents=True)
    torch.save(official_convnext(folder / "hf"), folder / "weights/x/tiny.pth")
    photo = folder / "set/a/a_0007.jpg"
    Image.open(data / "brighton_beach/DJI_0020.jpg").resize((801, 602)).save(photo, quality=92)
    key, manifest = read_json(folder / "key.json"), json.loads((folder / "manifest.json").read_text("utf-8-sig"))
    key["datasets"]["set"]["filename_template"] = "{capture_id}_{frame:04d}.jpg"
    key["weights"]["w"]["x"] = {"cxTiny": ["dinov3_convnext_tiny", "tiny.pth", "LVD"]}
    manifest["models"][0] |= {"weights": "cxTiny", "image_groups": [{"folder": "a", "indices": [7]}]}
    write_json(folder / "key.json", key)
    write_json(folder / "manifest.json", manifest)
    batch = normalised(resized_in_float(photo, (224, 224), "bicubic"), IMAGENET)
    with torch.inference_mode():
        output = model(batch, output_hidden_states=True)
    patches = output.last_hidden_state[0, 1:].numpy()
    vectors = {"GlobalToken": output.hidden_states[-1][0].flatten(1).mean(1).numpy(), "GlobalClass": output.pooler_output[0].numpy(),
               "GlobalMeanPatches": patches.mean(0)}

    def file(kind, end):
        return folder / f"out/set/cxTiny/L/{kind}/{kind}_res230_raw_dinov3_convnext_tiny_LVD_L_0007{end}"

    for kind, options, name in (("GlobalToken", (), "mean_prenorm"), ("GlobalClass", ("--set", "global=class"), "class"),
                                ("GlobalMeanPatches", ("--set", "global=mean_patches"), "mean_patches")):
        run("--no-cache", "embed", "--manifest", folder / "manifest.json", "--data-key", folder / "key.json", "--dataset-root", folder,
            "--weights-root", folder / "weights", *options)
        assert np.abs(np.load(file(kind, ".npy")) - vectors[kind]).max() <= 3e-5
        config = read_json(file(kind, "_meta.json"))["config"]
        assert config["global"] == name
        assert " interpolation=bicubic arithmetic=float " in config["backbone"] and f" global={name}" in config["backbone"]
    assert np.abs(np.load(file("PatchToken", ".npy")) - patches).max() <= 3e-5


def test_search_leaves_out_vectors_that_cannot_be_used_and_names_them(folder):
    embed(folder)
    path = f"{stem(folder, 'GlobalToken', 'raw', 2)}.npy"
    with open(path, "r+b") as file:
        file.truncate(200)
    np.save(f"{stem(folder, 'GlobalToken', 'raw', 3)}.npy", np.full(112, np.nan, np.float32))
    np.save(f"{stem(folder, 'GlobalToken', 'raw', 7)}.npy", np.ones(5, np.float32))
    done = run("--no-cache", "search", "--direction", "data-data", "--data-root", folder / "out", "--out", folder / "found", "-k", 3)
    for part in ("0002.npy", "0003.npy: row 0 has a value that is NaN", "0007.npy: 5 dimensions", "3 vectors were left out"):
        assert part in done.stderr
    files = sorted((folder / "found/efficientnet_lite0_raw").iterdir())
    assert [f.name for f in files] == [f"GlobalToken_res230_raw_efficientnet_lite0_LVD_L_{i:04d}_top2.json" for i in (1, 5)]
    result = read_json(files[0])
    assert list(result) == ["weight", "mode", "direction", "k", "index_count", "search_count", "search", "hits", "timing_ms"]
    assert [t["rank"] for t in result["hits"]] == [1, 2] and result["k"] == 2 and result["hits"][0]["score"] == pytest.approx(1)
    times = result["timing_ms"]
    assert set(times) == {"embed", "search", "total", "index_load", "search_load"}
    assert set(times["index_load"]) == set(times["search_load"]) == {"find", "load", "normalize", "total"}
    assert times["index_load"]["total"] == pytest.approx(sum(times["index_load"][part] for part in ("find", "load", "normalize")))


def test_aggregates_and_rows_have_the_names_and_keys_of_the_programs_that_are_replaced(folder):
    embed(folder)
    common = ["--no-cache", "search", "--direction", "data-data", "--data-root", folder / "out", "--out", folder / "found", "-k", 9]
    run(*common, "--aggregate")
    aggregate = read_json(folder / "found/efficientnet_lite0_raw_data-data_top4.json")
    assert aggregate["index"] == aggregate["search"] == {"role": "data", "root": str(folder / "out"), "count": 4}
    assert set(aggregate["timing_ms"]) == {"index_load", "search_load", "index_build", "total_search", "avg_search"}
    assert [len(one["hits"]) for one in aggregate["results"]] == [4] * 4

    run(*common, "--redis-json", "--variant", "all")
    rows = sorted((folder / "found/efficientnet_lite0_all_db2db").iterdir())
    assert len(rows) == 8, "each image has a raw vector and one of every third token"
    assert rows[0].name == "GlobalToken_res230_raw_efficientnet_lite0_LVD_L_0001_db2db_top8_redis.json"
    row = read_json(rows[0])
    assert list(row) == ["encoder", "backend", "dim", "metric", "topk", "timing_ms", "results", "index_build_ms"]
    assert (row["encoder"], row["backend"], row["metric"], row["topk"]) == ("efficientnet_lite0", "faiss-cpu", "ip", 8)
    first = row["results"][0]
    assert first["path"].endswith(".npy") and first["filename"] == "a_0001.png" and first["rank"] == 1
    meta = read_json(folder / f"{stem(folder, 'GlobalToken', 'raw', 1)}_meta.json")
    assert row["timing_ms"]["embed"] == pytest.approx(meta["timing_ms"].get("pipeline_total", meta["timing_ms"]["global_forward"]))


def test_references_have_pillows_geometry(folder):
    from PIL import Image, ImageOps

    arguments = ("--no-cache", "reference", "--data-key", folder / "key.json", "--dataset", "set", "--dataset-root", folder, "--out",
                 folder / "refs", "--angles", "0,45,90")
    done = run(*arguments, status=1)
    assert "a_0004.png" in done.stderr and "12 references made" in done.stdout
    for angle in (0, 45, 90):
        made = Image.open(folder / f"refs/references_set/Ra/a_0001_rot{angle:03d}_crop50.jpg")
        photo = Image.open(folder / "set/a/a_0001.png").convert("RGB")
        rotated = ImageOps.fit(photo.rotate(angle, Image.BICUBIC, expand=True), photo.size, Image.BICUBIC)
        wanted = rotated.crop((80, 60, 240, 180))
        assert made.size == wanted.size
        difference = np.abs(np.asarray(made, float) - np.asarray(wanted, float))
        assert difference.mean() < 4, angle  # JPEG
    assert "0 references made, 12 there before" in run(*arguments, status=None).stdout


@pytest.mark.parametrize("size", [(90, 61), (61, 90), (64, 64), (333, 200), (201, 334), (300, 37)])
def test_references_are_pillows_to_the_bit(tmp_path, size):
    """Pillow's rotate, ImageOps.fit and crop, and the crop resized back; no grey level apart."""
    from PIL import Image, ImageOps

    width, height = size
    pixels = np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)
    pixels[height // 3:, width // 3:] = (np.arange(width - width // 3)[None, :, None] * 4
                                         + np.arange(height - height // 3)[:, None, None]) % 256
    photo = Image.fromarray(pixels)
    photo.save(tmp_path / "photo.png")
    angles, ratios = (0, 45, 90, 135, 180, 225, 270, 315, 17.3, 359.9, -45, 400), (0.5, 0.7, 1)
    (tmp_path / "make.lua").write_text(f"""
      local im = require "imatch"
      local photo = assert(im.image.open "{tmp_path}/photo.png")
      for _, angle in ipairs {{ {", ".join(map(str, angles))} }} do
        for _, ratio in ipairs {{ {", ".join(map(str, ratios))} }} do
          for _, back in ipairs {{ false, true }} do
            im.retrieval.reference_view(photo, {{ angle_deg = angle, crop_ratio = ratio, resize_back = back }})
              :save(("{tmp_path}/%g_%g_%s.png"):format(angle, ratio, back))
          end
        end
      end""")
    run(tmp_path / "make.lua")
    for angle in angles:
        filled = ImageOps.fit(photo.rotate(angle, Image.BICUBIC, expand=True), photo.size, Image.BICUBIC)
        for ratio in ratios:
            w, h = int(width * ratio), int(height * ratio)
            left, top = (width - w) // 2, (height - h) // 2
            wanted = filled.crop((left, top, left + w, top + h))
            for name, peer in (("false", wanted), ("true", wanted.resize(photo.size, Image.BICUBIC))):
                made = np.asarray(Image.open(tmp_path / f"{angle:g}_{ratio:g}_{name}.png"), int)
                difference = np.abs(made - np.asarray(peer, int))
                assert difference.max() == 0, (angle, ratio, name, difference.max(), (difference > 0).sum())


def test_references_of_photos_are_pillows_to_the_bit(data, tmp_path):
    from PIL import Image, ImageOps

    photo = Image.open(data / "brighton_beach/DJI_0020.jpg").convert("RGB").resize((1333, 1000))
    photo.save(tmp_path / "photo.png")
    (tmp_path / "make.lua").write_text(f"""
      local im = require "imatch"
      local photo = assert(im.image.open "{tmp_path}/photo.png")
      for angle = 0, 315, 45 do
        im.retrieval.reference_view(photo, {{ angle_deg = angle, crop_ratio = 0.5 }}):save("{tmp_path}/" .. angle .. ".png")
      end""")
    run(tmp_path / "make.lua")
    for angle in range(0, 360, 45):
        filled = ImageOps.fit(photo.rotate(angle, Image.BICUBIC, expand=True), photo.size, Image.BICUBIC)
        made = np.asarray(Image.open(tmp_path / f"{angle}.png"), int)
        assert np.abs(made - np.asarray(filled.crop((333, 250, 999, 750)), int)).max() == 0, angle


def test_references_of_one_capture_alone(folder):
    key = json.loads((folder / "key.json").read_text())
    key["datasets"]["set"]["images"] = {"a": {"label": "L"}, "b": {"label": "M"}}
    (folder / "key.json").write_text(json.dumps(key))
    (folder / "set/b").mkdir()
    (folder / "set/b/b_0001.png").write_bytes((folder / "set/a/a_0001.png").read_bytes())
    done = run("reference", "--data-key", folder / "key.json", "--dataset", "set", "--dataset-root", folder, "--out", folder / "refs",
               "--angles", "0", "--capture", "a", status=None)
    assert "4 references made" in done.stdout
    assert not (folder / "refs/references_set/Rb").exists()
