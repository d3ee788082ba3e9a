# SPDX-License-Identifier: Apache-2.0
"""Views of a real map against real photographs of the same places, aligned by OpenCV's SIFT.

The truth beside the map (latitude, longitude, heading, footprint width) comes from a bundle adjustment, good to about
1 m and 1 degree; a wrong sign of heading, a swapped axis or a shifted frame would show at once.
"""

import cv2
import numpy as np

from files import read_csv
from program import lua

WIDTH, HEIGHT = 640, 480

SCRIPT = """
local out, map, rows = arg[1], im.render.map(arg[2]), assert(io.open(arg[3]))
for line in rows:lines() do
  local file, lat, lon, heading, width = line:match "([^,]+),([^,]+),([^,]+),([^,]+),([^,]+)"
  local view = map:view {
    latitude = tonumber(lat), longitude = tonumber(lon), heading_deg = tonumber(heading), fov_deg = 60,
    altitude_m = im.geo.altitude_for_width_m(tonumber(width), 60), width = %d, height = %d,
  }
  assert(view:image():save(out .. "/" .. file .. ".png"))
end
""" % (WIDTH, HEIGHT)


def align(photo, view):
    """Similarity that takes the photo to the view, and the number of matches that agree with it."""
    sift = cv2.SIFT_create(3000)
    points_a, features_a = sift.detectAndCompute(photo, None)
    points_b, features_b = sift.detectAndCompute(view, None)
    pairs = cv2.BFMatcher().knnMatch(features_a, features_b, k=2)
    good = [p for p, q in pairs if p.distance < 0.8 * q.distance]
    if len(good) < 8:
        return None, 0
    from_points = np.float32([points_a[m.queryIdx].pt for m in good])
    to_points = np.float32([points_b[m.trainIdx].pt for m in good])
    similarity, inliers = cv2.estimateAffinePartial2D(from_points, to_points, ransacReprojThreshold=4)
    return similarity, 0 if similarity is None else int(inliers.sum())


def test_photographs_lie_where_the_map_shows_them(data, tmp_path):
    rows = read_csv(data / "seneca_map/queries.csv")[::2]
    plain = tmp_path / "rows.csv"
    keys = ["file", "latitude_deg", "longitude_deg", "heading_deg", "footprint_width_m"]
    plain.write_text("".join(",".join(row[k] for k in keys) + "\n" for row in rows))
    lua(SCRIPT, tmp_path, data / "seneca_map/map.tif", plain)

    errors, shifts, turns, scales = [], [], [], []
    for row in rows:
        photo = cv2.imread(str(data / "seneca" / row["file"]), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        photo = cv2.resize(photo, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        similarity, agreeing = align(photo, cv2.imread(str(tmp_path / (row["file"] + ".png"))))
        if agreeing < 15:
            continue
        centre = np.array([WIDTH / 2 - 0.5, HEIGHT / 2 - 0.5, 1])  # OpenCV's frame
        off = (similarity @ centre - centre[:2]) * float(row["footprint_width_m"]) / WIDTH
        shifts.append(off)
        errors.append(np.hypot(*off))
        turns.append(np.degrees(np.arctan2(similarity[1, 0], similarity[0, 0])))
        scales.append(np.hypot(similarity[0, 0], similarity[1, 0]))
    print(f"{len(errors)} of {len(rows)} photos: median {np.median(errors):.2f} m, {np.median(np.abs(turns)):.2f} degrees")
    assert len(errors) >= 0.7 * len(rows)
    assert np.median(errors) < 1.5
    assert np.all(np.abs(np.median(shifts, axis=0)) < 0.6)
    assert np.median(np.abs(turns)) < 1.5
    assert abs(np.median(turns)) < 0.7
    assert abs(np.median(scales) - 1) < 0.03
