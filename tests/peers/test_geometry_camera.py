# SPDX-License-Identifier: Apache-2.0
"""The pinhole camera against OpenCV's projectPoints."""

import cv2
import numpy as np

from files import read_json, write_json
from program import lua

SCRIPT = """
local job = im.io.read_json(arg[1])
local pixels = im.camera.project(job.camera, job.points)
local ground = im.camera.over_ground { x_m = 3, y_m = -4, altitude_m = 60, heading_deg = 70, tilt_deg = 20, roll_deg = 5 }
im.io.write_json(arg[2], { pixels = pixels, points = im.camera.unproject(job.camera, pixels), ground = ground })
"""


def test_projection_equals_opencv(tmp_path):
    rng = np.random.default_rng(3)
    rotation, _ = cv2.Rodrigues(rng.normal(size=3))
    translation = np.array([0.3, -1.2, 40.0])
    fx, fy, cx, cy = 812.5, 790.25, 331.0, 247.5
    points = rng.uniform(-10, 10, (200, 3))
    camera = {"fx": fx, "fy": fy, "cx": cx + 0.5, "cy": cy + 0.5, "rotation": rotation.ravel().tolist(),
              "translation": translation.tolist()}
    lua(SCRIPT, write_json(tmp_path / "job.json", {"camera": camera, "points": points.tolist()}), tmp_path / "out.json")
    out = read_json(tmp_path / "out.json")
    matrix = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    theirs, _ = cv2.projectPoints(points, cv2.Rodrigues(rotation)[0], translation, matrix, None)
    ours = np.array(out["pixels"])
    # OpenCV's first pixel has its centre at (0, 0), ours at (0.5, 0.5).
    np.testing.assert_allclose(ours[:, :2] - 0.5, theirs[:, 0], atol=1e-8)
    np.testing.assert_allclose(ours[:, 2], (points @ rotation.T + translation)[:, 2], atol=1e-10)
    np.testing.assert_allclose(out["points"], points, atol=1e-9)
    turn = np.array(out["ground"]["rotation"]).reshape(3, 3)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(-turn.T @ out["ground"]["translation"], [3, -4, 60], atol=1e-9)
