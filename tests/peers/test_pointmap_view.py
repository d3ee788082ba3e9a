# SPDX-License-Identifier: Apache-2.0
"""`imatch-lua pointmap view`: balls whose points NumPy knows, in the page as Chromium draws it (WebGL) and in the program's own
picture."""

import numpy as np
import pytest
from PIL import Image

import pages
import program

SIDE, LAYERS = 48, 2
SHIFT = np.array([2.0, -1.0, 0.5])
BACKGROUND = (247, 248, 250)
LAYER_COLOURS = np.array([(0, 114, 178), (230, 159, 0)])


def ball(radius):
    """Maps [layers, rows, columns, 3] of the front and the back of a ball, and where it is; confidences grow to the right."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    flat = np.stack([(x + 0.5) / SIDE * 2 - 1, 1 - (y + 0.5) / SIDE * 2], -1)
    inside = (flat**2).sum(-1) < radius**2
    depth = np.sqrt(np.clip(radius**2 - (flat**2).sum(-1), 0, None))
    points = np.stack([np.concatenate([flat, sign * depth[..., None]], -1) for sign in (1, -1)])
    return points, np.broadcast_to(inside, (LAYERS, SIDE, SIDE)), np.broadcast_to(1 + np.exp(3 * flat[..., 0]), (LAYERS, SIDE, SIDE))


def write_prediction(path, radius):
    """What a network would say of a ball that moved by SHIFT without turning."""
    points, inside, confidence = ball(radius)
    maps = np.zeros((LAYERS, 8, SIDE, SIDE), np.float32)
    maps[:, 0:3], maps[:, 3:6] = np.moveaxis(points, -1, 1), np.moveaxis(points + SHIFT, -1, 1)
    maps[:, 6], maps[:, 7] = np.where(inside, 4, -4), np.log(confidence - 1)
    np.savez(path, prediction=maps.reshape(-1, SIDE, SIDE), mask=inside[0].astype(np.float32))


@pytest.fixture(scope="module")
def balls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("balls")
    (folder / "points").mkdir()
    (folder / "renders").mkdir()
    for name, radius in (("large", 0.9), ("small", 0.6)):
        write_prediction(folder / f"points/{name}.npz", radius)
    Image.new("RGB", (8, 8), (200, 30, 60)).save(folder / "renders/large_rgb.png")
    return folder


def coloured(picture, background):
    return np.abs(np.asarray(picture, int)[..., :3] - background).max(-1) > 8


def box(mask):
    rows, columns = np.nonzero(mask)
    return np.array([rows.min(), rows.max(), columns.min(), columns.max()])


def test_the_native_picture_shows_both_clouds(balls, tmp_path):
    out = tmp_path / "ball.png"
    said = program.run("pointmap", "view", balls / "points/large.npz", "--png", out, "--out", tmp_path / "page.html", "--colour", "layer").stdout
    count = int(ball(0.9)[1][0].sum())
    assert f"large: {2 * count} points, a layer: {count} {count}" in said
    picture = np.asarray(Image.open(out).convert("RGB"))
    assert picture.shape == (480, 960, 3)
    left, right = (coloured(half, 255) for half in (picture[:, :479], picture[:, 482:]))
    # What is farthest from the middle is 42 % of a half away from it.
    for half in (left, right):
        rows = box(half)[:2]
        assert rows[1] - rows[0] == pytest.approx(0.84 * 480, rel=0.04)
    def middle_of(path):
        part = np.asarray(Image.open(path).convert("RGB"))[230:250, 230:250].reshape(-1, 3)
        return np.unique(part[coloured(part, 255)], axis=0)

    assert (middle_of(out) == LAYER_COLOURS[0]).all()  # the front hides the back
    turned = tmp_path / "turned.png"
    program.run("pointmap", "view", balls / "points/large.npz", "--png", turned, "--out", tmp_path / "page.html", "--colour", "layer", "--yaw", 180)
    assert (middle_of(turned) == LAYER_COLOURS[1]).all()


def test_the_page_draws_both_clouds_with_one_camera(balls, tmp_path, own_browser):
    page = tmp_path / "page.html"
    program.run("pointmap", "view", balls / "points", "--out", page)
    own_browser.open(page, until="document.documentElement.dataset.drawn")
    place = own_browser.evaluate("(({x, y, width, height}) => [x, y, width, height])(document.getElementById('canvas').getBoundingClientRect())")

    def halves():
        own_browser.screenshot(tmp_path / "page.png")
        x, y, width, height = (round(v) for v in place)
        stage = np.asarray(Image.open(tmp_path / "page.png").convert("RGB"))[y + 30:y + height - 12, x:x + width]
        middle = width // 2
        return stage[:, 12:middle - 12], stage[:, middle + 12:2 * middle - 12]

    def choose(name, value, event="change"):
        own_browser.evaluate(f"(() => {{ const e = document.getElementById('{name}'); e.value = {value!r}; e.dispatchEvent(new Event('{event}')); }})()")

    def text(name):
        return own_browser.evaluate(f"document.getElementById('{name}').textContent")

    points, inside, confidence = ball(0.9)
    assert text("count") == f"{2 * inside[0].sum():,} of {2 * inside[0].sum():,} points"
    assert own_browser.evaluate("document.getElementById('picture').src.startsWith('data:image/png;base64,')")
    left, right = halves()
    boxes = [box(coloured(half, BACKGROUND)) for half in (left, right)]
    assert np.abs(boxes[0][:2] - boxes[1][:2]).max() <= 2  # the same ball on both sides
    # Colours are canonical positions: red grows to the right, green upwards.
    middle = int(boxes[0][:2].mean())
    part = left[middle - 10:middle + 10, boxes[0][2]:boxes[0][3]]
    shown = coloured(part, BACKGROUND)
    columns, red = np.nonzero(shown)[1], part[..., 0][shown]
    assert np.median(red[columns < part.shape[1] / 6]) < 60 and np.median(red[columns > part.shape[1] * 5 / 6]) > 190

    centre = (place[0] + place[2] / 4, place[1] + place[3] / 2)
    own_browser.drag(centre, (centre[0] + 90, centre[1] + 25))
    turned = halves()
    for before, after in zip((left, right), turned):
        assert (np.abs(before.astype(int) - after).max(-1) > 20).mean() > 0.1
    def coarse(half):
        rows, columns = half.shape[0] // 8, half.shape[1] // 8
        return half[:8 * rows, :8 * columns].reshape(rows, 8, columns, 8, 3).mean((1, 3))

    # Turned alike: the ball only moved, so that both sides show the same.
    assert (np.abs(coarse(turned[0]) - coarse(turned[1])).max(-1) > 30).mean() < 0.03
    assert (np.abs(coarse(turned[0]) - coarse(left)).max(-1) > 30).mean() > 0.1

    choose("colour", "layer")
    choose("layer", "1")
    front, back = (np.abs(halves()[0].astype(int) - colour).max(-1).min() for colour in LAYER_COLOURS)
    assert front > 30 and back == 0 and text("count").startswith(f"{inside[0].sum():,} of")
    choose("layer", "-1")
    choose("limit", "50", "input")
    raw = np.log(confidence - 1).astype(np.float32)[inside]
    kept = int((raw >= (raw.min() + raw.max()) / 2).sum())
    assert abs(int(text("count").split()[0].replace(",", "")) - kept) <= 4
    choose("limit", "0", "input")
    choose("sample", "1", "input")
    assert text("sample-name") == "small (2 of 2)" and own_browser.evaluate("document.getElementById('picture').hidden")
    assert text("count") == f"{2 * ball(0.6)[1][0].sum():,} of {2 * ball(0.6)[1][0].sum():,} points"
    choose("colour", "normal")
    assert own_browser.problems == []
    pages.check(own_browser, page, "point map")
    assert all(url.startswith(("file:", "data:")) for url in own_browser.requests)


def test_normals_of_a_ball_point_outwards(balls, tmp_path):
    said = program.lua("""
      local points = assert(im.pointmap.read((...)))
      points:save(select(2, ...), { normals = true, layer = true, confidence = true, ascii = true })
      local back = assert(im.pointmap.read(select(2, ...) .. "_canon.ply"))
      print(back:get("posed_normal"):max_difference(points:get("posed_normal")) < 1e-5, back:get("layer"):max_difference(points:get "layer"))""",
                       balls / "points/large.npz", tmp_path / "ball")
    assert said.split() == ["true", "0"]
    for name, shift in (("canon", 0), ("rec", SHIFT)):
        lines = (tmp_path / f"ball_{name}.ply").read_text().split("end_header\n")[1].splitlines()
        rows = np.array([line.split() for line in lines], float)
        outwards = (rows[:, :3] - shift) / 0.9
        flat = np.hypot(outwards[:, 0], outwards[:, 1]) < 0.7  # elsewhere a pixel is a long way on the ball
        cosine = (outwards * rows[:, 3:6]).sum(1)[flat]
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 6


def test_a_file_of_normals_has_one_cloud(tmp_path):
    points, inside, _ = ball(0.9)
    dense = np.concatenate([points, points / 0.9, inside[..., None]], -1).astype(np.float32) * inside[..., None]
    indices = np.argwhere(dense[..., 6] != 0)
    np.savez(tmp_path / "ball.npz", values=dense[tuple(indices.T)], indices=indices.astype(np.uint8), shape=np.array(dense.shape))
    said = program.lua("""
      local points = assert(im.pointmap.read((...)))
      print(#points, points:get("canonical_normal"):get(0, 2), select(2, pcall(points.get, points, "posed")))""", tmp_path / "ball.npz")
    first = points[0][inside[0]][0] / 0.9
    count, normal, message = said.strip().split("\t")
    assert int(count) == 2 * inside[0].sum() and float(normal) == pytest.approx(first[2], abs=1e-6) and "no posed" in message
    program.run("pointmap", "view", tmp_path / "ball.npz", "--out", tmp_path / "page.html", "--png", tmp_path / "ball.png", "--colour", "normal")
    part = np.asarray(Image.open(tmp_path / "ball.png").convert("RGB"))[232:249, 472:489].reshape(-1, 3).astype(int)
    assert np.abs(part[coloured(part, 255)] - (128, 128, 255)).max() < 16  # towards the eye


@pytest.mark.parametrize("write, message", [
    (lambda path: np.savez(path, other=np.ones(3)), "'indices'"),
    (lambda path: np.savez(path, prediction=np.ones((9, 4, 4), np.float32)), "9 channels"),
    (lambda path: np.savez(path, prediction=np.ones((8, 4, 4), np.float32), mask=np.ones((4, 5), np.float32)), "'mask' and 'prediction' differ"),
    (lambda path: np.savez(path, prediction=np.full((16, 4, 4), -9, np.float32)), "no points are left"),
    (lambda path: path.write_bytes(b"PK\x03\x04"), "broken.npz"),
    (lambda path: None, "broken.npz: no such file"),
])
def test_files_that_are_no_points_are_named(tmp_path, write, message):
    write(tmp_path / "broken.npz")
    done = program.run("pointmap", "view", tmp_path / "broken.npz", "--out", tmp_path / "page.html", status=1)
    assert message in done.stderr and not (tmp_path / "page.html").exists()


def test_clouds_of_different_sizes_are_refused(tmp_path):
    for name, count in (("canon", 3), ("rec", 4)):
        rows = "\n".join("0 0 0" for _ in range(count))
        (tmp_path / f"a_{name}.ply").write_text(
            f"ply\nformat ascii 1.0\nelement vertex {count}\nproperty float x\nproperty float y\nproperty float z\nend_header\n{rows}\n")
    assert "a_canon.ply: 3 points, and" in program.run("pointmap", "view", tmp_path / "a_rec.ply", status=1).stderr
