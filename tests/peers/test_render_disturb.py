# SPDX-License-Identifier: Apache-2.0
"""Homographies and disturbances against NumPy and OpenCV."""

import cv2
import numpy as np

from program import lua

SCRIPT = """
local out = arg[1]
local world = im.render.world { seed = 9, size_m = 400 }
local function view(name, options)
  local v = world:view(options)
  assert(v:image():save(out .. "/" .. name .. ".png"))
  return v
end
local plain = view("plain", { altitude_m = 70, width = 320, height = 240 })
view("blurred", { altitude_m = 70, width = 320, height = 240, blur_px = 2.5 })
view("tones", { altitude_m = 70, width = 320, height = 240, contrast = 1.3, brightness = -12, gamma = 0.7 })
view("noisy", { altitude_m = 70, width = 320, height = 240, noise = 9, seed = 3 })
local tilted = view("tilted", { altitude_m = 80, width = 320, height = 240, tilt_deg = 15, roll_deg = 6, heading_deg = 200 })
print(table.concat(im.render.b_from_a(tilted, plain), " "))
"""


def views(folder):
    text = lua(SCRIPT, folder)
    images = {path.stem: cv2.imread(str(path)) for path in folder.glob("*.png")}
    return images, np.array([float(word) for word in text.split()]).reshape(3, 3)


def test_disturbances_and_truth(tmp_path):
    images, plain_from_tilted = views(tmp_path)
    plain = images["plain"]

    blurred = cv2.GaussianBlur(plain.astype(np.float64), (0, 0), 2.5)
    assert np.abs(images["blurred"] - blurred).mean() < 0.6

    tones = np.clip((plain - 127.5) * 1.3 + 127.5 - 12, 0, 255)
    tones = np.floor(255 * (tones / 255) ** 0.7 + 0.5)
    assert np.abs(images["tones"] - tones).max() <= 1

    inner = (plain > 40) & (plain < 215)
    noise = (images["noisy"].astype(np.float64) - plain)[inner]
    assert abs(noise.std() - 9) < 0.1
    assert abs(noise.mean()) < 0.1

    # OpenCV's pixel centres lie at whole numbers, ours at halves.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    matrix = np.linalg.inv(half) @ plain_from_tilted @ half
    warped = cv2.warpPerspective(images["tilted"], matrix, (320, 240), flags=cv2.INTER_CUBIC)
    seen = cv2.warpPerspective(np.full((240, 320), 255, np.uint8), matrix, (320, 240), flags=cv2.INTER_NEAREST) == 255
    seen = cv2.erode(seen.astype(np.uint8), np.ones((9, 9))) == 1
    assert seen.mean() > 0.3
    smooth = [cv2.GaussianBlur(i.astype(np.float64), (0, 0), 1.5)[seen] for i in (warped, plain)]
    assert np.abs(smooth[0] - smooth[1]).mean() < 2.5
    assert np.corrcoef(smooth[0].ravel(), smooth[1].ravel())[0, 1] > 0.98
