# SPDX-License-Identifier: Apache-2.0
"""The verdict under a search over rotations, on real photographs: of pairs that show different places at most 1 % are matched,
and of pairs whose geometry is right at most 2 % are refused. Which pairs these are says the bundle adjustment of the survey, not
the program. Once as `match` does it of itself, and once with eight rotations of few, large tokens, as `run` has them."""

import importlib.util
import itertools
import json
import pathlib

import numpy as np
import pytest
from PIL import Image, ImageFilter

from files import read_csv
from program import lua

# What Matcher:match says of each pair of a list, in the order of the second picture, whose turned features are kept.
MATCH = """
local settings = im.io.read_json(arg[2])
local matching = assert(require("imatch.match.matcher").open { backbone = settings.backbone, rotations = settings.rotations,
  match = { match_th = settings.match_th } })
local rows = {}
for i, pair in ipairs(assert(im.io.read_json(arg[1]))) do
  local found = assert(matching:match(pair[1], pair[2]))
  rows[i] = { matched = found.verdict.matched, false_alarms = found.verdict.log10_false_alarms, h = found.geometry:homography(),
    turned = found.rotation_deg, reason = found.verdict.reason }
end
print(im.io.json(rows))
"""

SIZE = (1280, 960)


def ground_from_photo(t, x, y):
    """Metres east and north of pixels of a photo that looks straight down."""
    scale, heading = float(t["footprint_width_m"]) / SIZE[0], np.radians(float(t["heading_deg"]))
    right, up = (x - SIZE[0] / 2) * scale, (SIZE[1] / 2 - y) * scale
    return t["x"] + right * np.cos(heading) + up * np.sin(heading), t["y"] - right * np.sin(heading) + up * np.cos(heading)


def pixel_of(t, x_m, y_m):
    scale, heading = float(t["footprint_width_m"]) / SIZE[0], np.radians(float(t["heading_deg"]))
    dx, dy = x_m - t["x"], y_m - t["y"]
    return (SIZE[0] / 2 + (dx * np.cos(heading) - dy * np.sin(heading)) / scale,
            SIZE[1] / 2 - (dx * np.sin(heading) + dy * np.cos(heading)) / scale)


def placed(data):
    """The photos of the survey with their places in metres."""
    rows = read_csv(data / "seneca_map/queries.csv")
    for t in rows:
        t["x"] = (float(t["longitude_deg"]) - float(rows[0]["longitude_deg"])) * 111_320 * np.cos(np.radians(float(rows[0]["latitude_deg"])))
        t["y"] = (float(t["latitude_deg"]) - float(rows[0]["latitude_deg"])) * 110_950
    return rows


def error_px(h, a, b):
    """By how much the homography misses the middle between both photos' centres, in pixels of b."""
    middle = (a["x"] + b["x"]) / 2, (a["y"] + b["y"]) / 2
    p = np.array(h).reshape(3, 3) @ [*pixel_of(a, *middle), 1]
    return np.hypot(*(p[:2] / p[2] - pixel_of(b, *middle)))


FINE = {"backbone": "efficientnet_lite0 stage=16 image_size=448", "rotations": "auto", "match_th": 0.5}
COARSE = {"backbone": "efficientnet_lite0 image_size=336", "rotations": list(range(0, 360, 45)), "match_th": 0.1}


@pytest.mark.parametrize("settings, token_px, every", [(FINE, 16 * 960 / 448, 4), (COARSE, 32 * 960 / 336, 1)], ids=["fine", "coarse"])
def test_unrelated_photos_are_not_matched_and_true_pairs_are_not_lost(settings, token_px, every, data, tmp_path):
    photos, beach = placed(data), sorted((data / "brighton_beach").glob("*.jpg"))
    def far(a, b):
        return np.hypot(a["x"] - b["x"], a["y"] - b["y"])
    unrelated = [(data / "seneca" / a["file"], b) for b in beach[::5] for a in photos[::3]]
    unrelated += [(data / "seneca" / a["file"], data / "seneca" / b["file"]) for b in photos[::14] for a in photos if far(a, b) > 160]
    near = [(a, b) for j, b in enumerate(photos) for a in photos[:j] if far(a, b) < 45]
    unrelated, near = unrelated[::every], near[::every]
    true = [(data / "seneca" / a["file"], data / "seneca" / b["file"]) for a, b in near]
    (tmp_path / "pairs.json").write_text(json.dumps([[str(a), str(b)] for a, b in unrelated + true]))
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    rows = json.loads(lua(MATCH, tmp_path / "pairs.json", tmp_path / "settings.json", timeout=1200))
    wrong = [pair for pair, row in zip(unrelated, rows) if row["matched"]]
    assert len(unrelated) > 100 / every and len(wrong) <= 0.01 * len(unrelated), wrong
    # What is nearer than a token is right.
    of_true = [(row, error_px(row["h"], a, b) if row.get("h") else np.inf) for row, (a, b) in zip(rows[len(unrelated):], near)]
    right = [row for row, error in of_true if error < token_px]
    lost = [row["reason"] for row in right if not row["matched"]]
    print(f"{len(wrong)} of {len(unrelated)} unrelated pairs matched, {len(lost)} of {len(right)} right ones lost, of {len(near)} near ones")
    assert len(right) > 40 / every and len(lost) <= 0.02 * len(right), lost
    assert sum(row["turned"] != 0 for row in right) > 1


# Photographs of other things, from other cameras, that come with scikit-image: people, a cat, coins, the moon, tissue, textures.
NAMES = ("astronaut", "brick", "camera", "cell", "chelsea", "clock_motion", "coffee", "coins", "grass", "gravel", "hubble_deep_field", "ihc",
         "microaneurysms", "moon", "motorcycle_left", "page", "retina", "rocket", "text")


def photographs():
    spec = importlib.util.find_spec("skimage")
    if spec is None:
        pytest.skip("the scikit-image wheel is not installed")
    folder = pathlib.Path(spec.submodule_search_locations[0]) / "data"
    return [path for name in NAMES for path in sorted(folder.glob(f"{name}.*"))]


def seen_again(path, seed, out):
    """The photograph, and the same as another camera would have it: turned by any angle, 0.6 to 1.3 times as large, shifted, a little
    oblique, in other light, noisy and compressed. Returns both files, b_from_a and the size in pixels."""
    random = np.random.default_rng(seed)
    image = Image.open(path).convert("RGB")
    image.thumbnail((1200, 1200))
    w, h = image.size
    angle, scale = random.uniform(0, 2 * np.pi), random.uniform(0.6, 1.3)
    x, y = random.uniform(-0.12, 0.12, 2) * [w, h]
    tilt = np.eye(3)
    tilt[2, :2] = 0.15 * random.uniform(-1, 1, 2) / [w, h]
    cosine, sine = np.cos(angle) / scale, np.sin(angle) / scale
    turn = np.array([[cosine, -sine, w / 2 + x], [sine, cosine, h / 2 + y], [0, 0, 1]])
    a_from_b = turn @ tilt @ np.array([[1, 0, -w / 2], [0, 1, -h / 2], [0, 0, 1]])
    a_from_b /= a_from_b[2, 2]
    seen = image.filter(ImageFilter.GaussianBlur(max(0, 0.5 * (1 / scale - 1)))).transform((w, h), Image.Transform.PERSPECTIVE, a_from_b.ravel()[:8],
                                                                                          Image.Resampling.BICUBIC)
    pixels = (np.asarray(seen) / 255) ** random.uniform(0.75, 1.35) * random.uniform(0.85, 1.1)
    pixels = np.clip(pixels + random.normal(0, 0.02, pixels.shape), 0, 1)
    a, b = out / f"{path.stem}{seed}_a.png", out / f"{path.stem}{seed}_b.jpg"
    image.save(a)
    Image.fromarray((255 * pixels).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.7)).save(b, quality=80)
    return a, b, np.linalg.inv(a_from_b), (w, h)


def median_error_px(h, b_from_a, size):
    """Over a grid of a's points that are seen in b."""
    points = np.stack([*np.meshgrid(*(np.linspace(0.1, 0.9, 9) * n for n in size)), np.ones((9, 9))], -1).reshape(-1, 3)
    true, found = (points @ np.asarray(m).reshape(3, 3).T for m in (b_from_a, h))
    true, found = true[:, :2] / true[:, 2:], found[:, :2] / found[:, 2:]
    seen = ((true > 0) & (true < size)).all(1)
    return np.median(np.hypot(*(found - true)[seen].T)) if seen.any() else np.inf


def test_it_holds_on_photographs_that_it_was_not_chosen_on(data, tmp_path):
    pictures, beach = photographs(), sorted((data / "brighton_beach").glob("*.jpg"))
    unrelated = [*itertools.combinations(pictures, 2)][::6] + [(a, b) for a in beach[::6] for b in pictures[::3]]
    unrelated.sort(key=lambda pair: str(pair[1]))
    true = [seen_again(path, seed, tmp_path) for seed, path in enumerate([*pictures, *beach[::4]])]
    (tmp_path / "pairs.json").write_text(json.dumps([[str(a), str(b)] for a, b, *_ in unrelated + true]))
    (tmp_path / "settings.json").write_text(json.dumps(FINE))
    rows = json.loads(lua(MATCH, tmp_path / "pairs.json", tmp_path / "settings.json", timeout=1200))
    wrong = [pair for pair, row in zip(unrelated, rows) if row["matched"]]
    assert len(unrelated) > 40 and len(wrong) <= 0.01 * len(unrelated), wrong
    right = [row for row, (_, _, b_from_a, size) in zip(rows[len(unrelated):], true)
             if row.get("h") and median_error_px(row["h"], b_from_a, size) < 16 * min(size) / 448]
    lost = [row["reason"] for row in right if not row["matched"]]
    print(f"{len(wrong)} of {len(unrelated)} unrelated pairs matched, {len(lost)} of {len(right)} right ones lost, of {len(true)}")
    assert len(right) > 10 and len(lost) <= 0.02 * len(right), lost
