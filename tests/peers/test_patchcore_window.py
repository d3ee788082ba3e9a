# SPDX-License-Identifier: Apache-2.0
"""--roi in a window of a real X server (Xvfb), with a mouse that xdotool moves."""

import shutil
import subprocess
import time

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from pictures import picture
from program import finish, start

pytestmark = pytest.mark.skipif(not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="Xvfb or xdotool is not installed")


@pytest.fixture
def display():
    # Without -noreset the server starts anew each time its last client leaves, which every xdotool may be, and turns away
    # whoever comes meanwhile.
    server = subprocess.Popen(["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    yield f":{server.stdout.readline().strip()}"
    server.terminate()
    server.wait()


def xdotool(display, *arguments):
    return subprocess.run(["xdotool", *map(str, arguments)], env={"DISPLAY": display, "PATH": "/usr/bin:/bin"},
                          capture_output=True, text=True, check=False).stdout.split()


def window_of(display, process):
    for _ in range(600):
        if found := xdotool(display, "search", "--onlyvisible", "--name", "Draw the region"):
            return found[0]
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    raise AssertionError("no window came")


@pytest.fixture
def photos(tmp_path):
    whole = picture(960, 720)
    for i in range(4):
        whole.rotate(0.1 * i).save(tmp_path / f"{i}.png")
    return tmp_path


def training(photos, display):
    return start("--quiet", "patchcore", "train", "--data-dir", photos, "--output", photos / "out", "--pattern-name", "part",
                 "--coreset-ratio", "0.05", "--held-out", "0", "--no-export", "--roi", env={"DISPLAY": display})


def test_a_region_is_drawn_with_the_mouse(photos, display):
    process = training(photos, display)
    window = window_of(display, process)
    # The screen is smaller than the photo: 85 % of 480 rows for 720.
    size = dict(line.split("=") for line in xdotool(display, "getwindowgeometry", "--shell", window))
    assert (int(size["WIDTH"]), int(size["HEIGHT"])) == (544, 408)
    steps = [("mousemove", "--window", window, 300, 300), ("mousedown", 1), ("mousemove", "--window", window, 400, 400), ("mouseup", 1),
             # A second one, from its lower right to its upper left, takes the place of the first.
             ("mousemove", "--window", window, 340, 272), ("mousedown", 1), ("mousemove", "--window", window, 200, 200),
             ("mousemove", "--window", window, 68, 68), ("mouseup", 1), ("key", "Return")]
    for step in steps:
        xdotool(display, *step)
    finish(process)
    template = load_file(photos / "out/part/checkpoint.ckpt")["region"]
    assert np.array_equal(template, np.asarray(Image.open(photos / "0.png"))[120:480, 120:600])


def test_escape_gives_up(photos, display):
    process = training(photos, display)
    xdotool(display, "mousemove", "--window", window_of(display, process), 100, 100)
    xdotool(display, "key", "Escape")
    assert "nothing was chosen" in finish(process, status=1)[1]


def test_a_display_that_is_away_is_said(photos):
    message = finish(training(photos, ":977"), status=1)[1]
    assert "the display ':977' cannot be opened; --roi needs a display or a terminal: give --roi-rect" in message
