# SPDX-License-Identifier: Apache-2.0
"""The commands run and run2 against a PyTorch rendering of the programs that they replace: decode, resize in float (run) or by
the folder's image processor (run2), cut, forward with transformers, select, match, for every pair. Random weights, real
photographs, square and not."""

import numpy as np
import pytest
import torch
from PIL import Image

import program
from backbones import IMAGENET
from dino_models import DINOV3, make_official, official_vit, stride_of, vision_transformer
from files import read_json
from preprocessing import (DINOV2_PROCESSOR, DINOV3_PROCESSOR, by_shorter_side, normalised, processed, resized_in_float, whole_patches,
                           write_processor)

# alt, frame, photograph, crop, size after it: landscape, square and portrait, none a multiple of a patch
PHOTOS = [("300", "0001", "DJI_0019", (0, 0, 1600, 900), (800, 450)),
          ("300", "0002", "DJI_0020", (0, 0, 1600, 900), (640, 361)),
          ("400", "0200", "DJI_0020", (350, 0, 1250, 900), (500, 500)),
          ("400", "0201", "DJI_0021", (600, 0, 1100, 900), (401, 719))]
KEYS = {
    "": ["meta", "image_a", "image_b", "weight", "cosine", "time_ms", "advanced_settings", "patch"],
    "meta": ["repo_dir", "img_root", "embed_root", "export_root", "ckpt", "hub_model", "device", "image_size",
             "pair_match_root", "match_root"],
    "time_ms": ["forward_a", "forward_b", "total"],
    "advanced_settings": ["match_threshold", "max_features", "keypoint_threshold", "line_threshold", "matching_mode"],
    "patch": ["n_a", "n_b", "n_selected_a", "n_selected_b", "grid_g_a", "grid_g_b", "idx_a", "idx_b", "similarities"],
}
ADDED = {"": {"weights_sha256", "program_version", "preprocessing", "settings_key", "rotation_search"},
         "patch": {"grid_a", "grid_b", "points_a", "points_b"}}


@pytest.fixture(scope="module")
def photos(data, tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    for alt, frame, name, crop, size in PHOTOS:
        (root / f"DS_{alt}").mkdir(exist_ok=True)
        image = Image.open(data / "brighton_beach" / f"{name}.jpg").crop(crop).resize(size, Image.BICUBIC)
        image.save(root / f"DS_{alt}" / f"DS_{alt}_{frame}.jpg", quality=95)
    (root / "notes.txt").write_text("no picture")
    return root


def run(command, *arguments, status=0):
    return program.run("--no-cache", command, *arguments, status=status, env={"WEIGHTS_ROOT": ""})


# ---- The rules, from the description of the format -----------------------------------------------------------------------


def preprocess(path, image_size, patch, folder=None):
    """run: float32, bilinear, antialiased, the shorter side becomes image_size; run2: by the folder's image processor. Both are
    cut to whole patches at the right and the bottom. The batch, the photograph's size, the size it gets, and the corner of what
    is left of that."""
    width, height = Image.open(path).size
    size = by_shorter_side(width, height, image_size)
    corner = (0, 0)
    if folder:
        batch = processed(folder, path, image_size)
        if read_json(folder / "preprocessor_config.json")["do_center_crop"]:
            corner = ((size[1] - batch.shape[3]) // 2, (size[0] - batch.shape[2]) // 2)
    else:
        batch = normalised(resized_in_float(path, size, "bilinear"), IMAGENET)
    return whole_patches(batch, patch), (width, height), size[::-1], corner


def embedded(model, batch, patch, command):
    """Patch tokens, global vector, rows and columns."""
    with torch.inference_mode():
        output = model(batch, output_hidden_states=True)
    rows, cols = batch.shape[2] // patch, batch.shape[3] // patch
    vector = output.pooler_output[0] if command == "run2" else output.hidden_states[-1][0].mean(0)
    return vector, output.last_hidden_state[0, -rows * cols:], rows, cols


def select(tokens, keypoint_th, max_features):
    norms = tokens.norm(dim=1)
    normalised = (norms - norms.min()) / (norms.max() - norms.min())
    kept = torch.nonzero(normalised >= keypoint_th).flatten()
    if len(kept) == 0:
        kept = norms.argmax()[None]
    if len(kept) > max_features:
        kept = kept[torch.linspace(0, len(kept) - 1, max_features, dtype=torch.float64).floor().long()]
    return kept


def match(a, b, match_th=0.1, keypoint_th=0.015, line_th=0.2, max_features=1000):
    kept_a, kept_b = select(a, keypoint_th, max_features), select(b, keypoint_th, max_features)
    unit = torch.nn.functional.normalize
    similarity = unit(a[kept_a], dim=1) @ unit(b[kept_b], dim=1).T
    to_b, to_a = similarity.argmax(1), similarity.argmax(0)
    rows = torch.nonzero(to_a[to_b] == torch.arange(len(kept_a))).flatten()
    values = similarity[rows, to_b[rows]]
    keep = values >= match_th
    rows, values = rows[keep], values[keep]
    if len(values):
        keep = values >= line_th * values.max()
        keep[values.argmax()] = True
        rows, values = rows[keep], values[keep]
    pairs, used_a, used_b = [], set(), set()
    for k in values.argsort(descending=True, stable=True).tolist():
        i, j = int(kept_a[rows[k]]), int(kept_b[to_b[rows[k]]])
        if i not in used_a and j not in used_b:
            used_a.add(i), used_b.add(j)
            pairs.append((i, j, float(values[k])))
    return len(kept_a), len(kept_b), pairs


# ---- Weights --------------------------------------------------------------------------------------------------------------


def make_weights(alias, folder):
    """A folder of transformers, an official file under its own name, and the model by the rules of either."""
    hf = vision_transformer(alias)
    hf.save_pretrained(folder / "hf")
    write_processor(folder / "hf", DINOV3_PROCESSOR if alias in DINOV3 else
                    DINOV2_PROCESSOR | {"crop_size": {"height": 210, "width": 280}})
    official = vision_transformer(alias)  # the same random numbers
    state, periods = official_vit(folder / "hf", alias in DINOV3), None
    if alias in DINOV3:
        head = official.config.hidden_size // official.config.num_attention_heads
        periods = (100 ** (4 * torch.arange(head // 4) / head)).bfloat16().float()
        state["rope_embed.periods"] = periods.bfloat16()
        for n in range(official.config.num_hidden_layers):
            width = official.config.hidden_size
            mask = torch.ones(3 * width)
            mask[width : 2 * width] = 0
            state[f"blocks.{n}.attn.qkv.bias_mask"] = mask
    make_official(official, alias, periods)
    name = {"vits14": "dinov2_vits14_pretrain.pth", "vits16": "dinov3_vits16_pretrain_lvd1689m-08c60483.pth"}[alias]
    (folder / "root" / "01_weights").mkdir(parents=True)
    torch.save(state, folder / "root" / "01_weights" / name)
    return hf, official


def name_of(photo):
    return f"{photo[0]}.{photo[1]}"


def check_keys(record):
    for path, keys in KEYS.items():
        found = list(record if path == "" else record[path])
        extra = set(found) - set(keys)
        assert [k for k in found if k in keys] == keys
        assert extra <= ADDED.get(path, set())


@pytest.mark.parametrize("alias", ["vits14", "vits16"])
@pytest.mark.parametrize("command", ["run", "run2"])
def test_pairs_equal_the_rendering(alias, command, photos, tmp_path):
    hf, official = make_weights(alias, tmp_path)
    model = hf if command == "run2" else official
    out, patch, size = tmp_path / "out", stride_of(alias), 224
    weights = ["-w", f"{alias}={tmp_path}/hf"] if command == "run2" else ["-w", alias, "--weights-root",
                                                                          tmp_path / "root"]
    done = run(command, *weights, "--root", photos, "--out", out, "--image-size", size, "--max-features", 200, "-e",
               "--set", f"depth={model.config.num_hidden_layers}", "--memory-mb", 1)
    assert "pairs_to_run=12: 12 run, 0 finished before, 0 skipped" in done.stdout

    features = {}
    for photo in PHOTOS:
        path = photos / f"DS_{photo[0]}" / f"DS_{photo[0]}_{photo[1]}.jpg"
        batch, *frame = preprocess(path, size, patch, tmp_path / "hf" if command == "run2" else None)
        features[photo] = (*embedded(model, batch, patch, command), path, *frame)

    num_matches = num_same = 0
    for a in PHOTOS:
        for b in PHOTOS:
            if a == b:
                continue
            path = (out / "pair_match" / f"{alias}_{a[0]}_{a[1]}" / f"{alias}_{name_of(a)}_{name_of(b)}.json")
            record = read_json(path)
            check_keys(record)
            global_a, tokens_a, rows_a, cols_a, path_a, original_a, resized_a, corner = features[a]
            global_b, tokens_b, rows_b, cols_b, path_b, *_ = features[b]
            patch_record = record["patch"]
            assert (record["image_a"], record["image_b"], record["weight"]) == (str(path_a), str(path_b), alias)
            assert record["cosine"] == pytest.approx(torch.cosine_similarity(global_a, global_b, 0).item(), abs=1e-5)
            assert record["advanced_settings"] == dict(match_threshold=0.1, max_features=200, keypoint_threshold=0.015,
                                                       line_threshold=0.2, matching_mode="mutual_knn_k1_unique")
            assert (patch_record["n_a"], patch_record["n_b"]) == (rows_a * cols_a, rows_b * cols_b)
            assert patch_record["grid_a"] == dict(rows=rows_a, cols=cols_a)
            assert patch_record["grid_g_a"] == (rows_a if rows_a == cols_a else None)
            assert patch_record["grid_g_b"] == (rows_b if rows_b == cols_b else None)

            n_a, n_b, expected = match(tokens_a, tokens_b, max_features=200)
            assert (patch_record["n_selected_a"], patch_record["n_selected_b"]) == (n_a, n_b)
            found = {(i, j): s for i, j, s in zip(patch_record["idx_a"], patch_record["idx_b"],
                                                  patch_record["similarities"], strict=True)}
            assert patch_record["similarities"] == sorted(patch_record["similarities"], reverse=True)
            num_matches += len(expected)
            for i, j, s in expected:
                if (i, j) in found:
                    num_same += 1
                    assert found[i, j] == pytest.approx(s, abs=2e-5)
            assert len(found) == pytest.approx(len(expected), abs=2)

            # A token's centre in the resized frame, carried back to the original.
            for i, (x, y) in zip(patch_record["idx_a"], patch_record["points_a"], strict=True):
                x_resized, y_resized = (i % cols_a + 0.5) * patch + corner[0], (i // cols_a + 0.5) * patch + corner[1]
                assert x == pytest.approx(x_resized * original_a[0] / resized_a[0], abs=1e-6)
                assert y == pytest.approx(y_resized * original_a[1] / resized_a[1], abs=1e-6)

            embeds = out / "embeds" / alias / f"{name_of(a)}_{name_of(b)}"
            for file, tensor in (("global_a", global_a), ("patch_a", tokens_a[select(tokens_a, 0.015, 200)]), ("global_b", global_b),
                                 ("patch_b", tokens_b[select(tokens_b, 0.015, 200)])):
                array = np.load(embeds / f"{file}.npy")
                assert array.dtype == np.float32
                assert array.shape == tuple(tensor.shape)
                assert np.abs(array - tensor.numpy()).max() <= 2e-5
    print(f"{command} {alias}: {num_same} of {num_matches} matches are the same")
    assert num_matches > 200
    assert num_same == num_matches
    assert not list(out.glob(".features*"))  # what did not fit in 1 MB was written there meanwhile

    again = run(command, *weights, "--root", photos, "--out", out, "--image-size", size, "--max-features", 200, "-e",
                "--set", f"depth={model.config.num_hidden_layers}")
    assert "0 run, 12 finished before" in again.stdout, again.stdout + again.stderr


def test_options_that_a_backbone_or_its_folder_does_not_leave_open(photos, tmp_path):
    make_weights("vits16", tmp_path)
    common = ["-w", f"vits16={tmp_path}/hf", "--root", photos, "--out", tmp_path / "out", "--set", "depth=3", "-a", "300", "-b", "300"]
    assert "preprocessor_config.json decides" in run("run2", *common, "--arithmetic", "float", status=2).stderr
    assert "dense_sift has no such option" in run("run", "-w", "dense_sift", "--root", photos, "--set", "facet=key", status=2).stderr
    (tmp_path / "hf/preprocessor_config.json").unlink()
    assert "preprocessor_config.json: no such file" in run("run2", *common, status=1).stderr
    run("run2", *common, "--resize", "shorter_cut", "--arithmetic", "uint8", "--global", "gem")
    (path, _) = sorted((tmp_path / "out").glob("pair_match/*/*.json"))
    record = read_json(path)
    assert record["cosine"] is None and record["other_global"]["global"] == "gem"
    assert " interpolation=bilinear arithmetic=uint8 " in record["preprocessing"]["backbone"]


def test_only_what_is_missing_is_made_again(photos, tmp_path):
    arguments = ["-w", "dense_sift", "--root", photos, "--out", tmp_path, "--image-size", 224]
    assert "12 run, 0 finished" in run("run", *arguments).stdout
    files = sorted(tmp_path.glob("pair_match/*/*.json"))
    assert len(files) == 12
    files[0].unlink()
    files[1].write_text(files[1].read_text()[:100])  # as a killed writer of another program leaves it
    assert "2 run, 10 finished before" in run("run", *arguments).stdout
    assert "12 run, 0 finished before" in run("run", *arguments, "--match-th", 0.3).stdout
    assert "3 run, 0 finished before" in run("run", *arguments, "-a", "400.0200").stdout
    assert "4 run, 0 finished before" in run("run", *arguments, "-a", "300", "-b", "400", "--line-th", 0.5).stdout


def test_one_bad_image_does_not_end_the_run(photos, tmp_path):
    for path in photos.glob("*/*.jpg"):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / path.name).write_bytes(path.read_bytes())
    bad = tmp_path / "in" / "DS_400_0300.jpg"
    bad.write_bytes(b"\xff\xd8\xff\xe0 not a picture")
    done = run("run", "-w", "dense_sift", "--root", tmp_path / "in", "--out", tmp_path / "out", "--image-size", 224, status=1)
    assert "pairs_to_run=20: 12 run, 0 finished before, 8 skipped" in done.stdout
    assert "DS_400_0300.jpg" in done.stderr
    assert len(list((tmp_path / "out").glob("pair_match/*/*.json"))) == 12


def test_what_cannot_run_says_what_is_there(photos, tmp_path):
    def message(*arguments, status=1):
        text = run("run", *arguments, "--out", tmp_path, status=status).stderr
        assert "traceback" not in text
        return text

    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "a.txt").write_text("")
    text = message("-w", "dense_sift", "--root", empty)
    assert "pairs_to_run=0" in text and "1 txt" in text
    text = message("-w", "dense_sift", "--root", photos, "-a", "999")
    assert "-a 999 selects no image" in text and "300: 2 (0001, 0002)" in text
    assert "pairs_to_run=0" in message("-w", "dense_sift", "--root", photos, "-a", "400.0200", "-b", "400.0200")
    assert "did you mean 'dense_sift'" in message("-w", "dense_sitf", "--root", photos)
    text = message("-w", "vits14", "--root", photos, "--weights-root", empty)
    assert "dinov2_vits14_pretrain.pth" in text and "https://" in text
    assert "no such folder" in message("-w", "dense_sift", "--root", tmp_path / "nowhere")
    assert "--match-th" in message("-w", "dense_sift", "--root", photos, "--match-th", "2", status=2)
    (tmp_path / "twice").mkdir()
    for name in ("A_300_0001.jpg", "B_300_0001.jpg"):
        Image.new("RGB", (64, 48)).save(tmp_path / "twice" / name)
    text = message("-w", "dense_sift", "--root", tmp_path / "twice")
    assert "A_300_0001.jpg" in text and "B_300_0001.jpg" in text
    # A group's absent weights are notes, and what comes with the program runs beside them.
    done = run("run", "--group", "registers", "-w", "dense_sift", "--root", photos, "--out", tmp_path / "g", "-a", "300",
               "-b", "300", "--weights-root", empty, "--image-size", 224)
    assert done.stderr.count("skipped: ") == 4 and "dense_sift: pairs_to_run=2: 2 run" in done.stdout
