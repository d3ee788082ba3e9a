# SPDX-License-Identifier: Apache-2.0
"""The verdict under a search over rotations, on real photographs: of pairs that show different places at most 1 % are matched,
and of pairs whose geometry is right at most 2 % are refused. Which pairs these are says the bundle adjustment of the survey, not
the program. Once as `match` does it of itself, and once with eight rotations of few, large tokens, as `run` has them."""

import json

import numpy as np
import pytest

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
