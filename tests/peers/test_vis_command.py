# SPDX-License-Identifier: Apache-2.0
"""The command vis: files of other programs with and without square grids, inliers against OpenCV, the pictures' pixels, the
gallery in Chromium, and files that are not as they should be."""

import copy
import json
import os
import signal
import time

import cv2
import numpy as np
import pexpect
import pytest
from PIL import Image

import pages
from files import read_json
from pictures import picture
from program import PROGRAM, environment, finish, run, start

THEIRS = {
    "meta": {"repo_dir": "/code", "img_root": "/photos", "export_root": "/exports", "ckpt": "/w/dinov2_vits14_pretrain.pth",
             "hub_model": "dinov2_vits14", "device": "cuda", "image_size": 336, "pair_match_root": "/exports/pair_match"},
    "weight": "vits14", "cosine": 0.87, "time_ms": {"forward_a": 11.0, "forward_b": 12.0, "total": 30.0},
    "advanced_settings": {"match_threshold": 0.1, "max_features": 1000, "keypoint_threshold": 0.015,
                          "line_threshold": 0.2, "matching_mode": "mutual_knn_k1_unique"},
}


UNSET = {name: None for name in os.environ if name.startswith(("VIS_", "MATCH_ROOT", "EXPORT_", "DATASET_"))}


def vis(*arguments, status=0):
    return run("vis", *arguments, status=status, env=UNSET)


def record(size_a, size_b, matches, **changes):
    """A file as the programs write it: matches are (row, column) pairs with a similarity."""

    def grid(size):
        scale = 336 / min(size)
        return int(size[1] * scale) // 14, int(size[0] * scale) // 14

    (rows_a, cols_a), (rows_b, cols_b) = grid(size_a), grid(size_b)
    pair = copy.deepcopy(THEIRS)
    pair |= {"image_a": "/photos/DS_300/DS_300_0001.png", "image_b": "/photos/DS_300/DS_300_0002.png"}
    pair["patch"] = {
        "n_a": rows_a * cols_a, "n_b": rows_b * cols_b, "n_selected_a": 500, "n_selected_b": 500,
        "grid_g_a": rows_a if rows_a == cols_a else None, "grid_g_b": rows_b if rows_b == cols_b else None,
        "idx_a": [a[0] * cols_a + a[1] for a, _, _ in matches], "idx_b": [b[0] * cols_b + b[1] for _, b, _ in matches],
        "similarities": [s for _, _, s in matches],
    }
    return pair | changes


@pytest.fixture
def place(tmp_path):
    """Writes photos and a pair file; returns the arguments that find them."""

    def write(size_a, size_b, pair, name="vits14_300.0001_300.0002"):
        photos = tmp_path / "photos" / "DS_300"
        photos.mkdir(parents=True, exist_ok=True)
        picture(*size_a).save(photos / "DS_300_0001.png")
        picture(*size_b).save(photos / "DS_300_0002.png")
        folder = tmp_path / "out" / "pair_match" / "vits14_300_0001"
        folder.mkdir(parents=True, exist_ok=True)
        text = pair if isinstance(pair, str) else json.dumps(pair)
        (folder / f"{name}.json").write_text(text)
        return ["--root", tmp_path / "out", "--out", tmp_path / "out", "--img-root", tmp_path / "photos", "-a"]

    return write


def shifted(rows, cols, by, outliers=()):
    """Every token of a with the one `by` rows and columns away in b, and some that are wrong."""
    matches = [((r, c), (r + by[0], c + by[1]), 0.9 - 0.001 * (r + c)) for r in range(2, rows, 3) for c in range(2, cols, 3)]
    for k, (a, b) in enumerate(outliers):
        matches.append((a, b, 0.3 + 0.01 * k))
    return matches


@pytest.mark.parametrize("size", [(500, 500), (900, 506), (506, 900)])
def test_inliers_and_points_are_those_of_opencv(size, place, tmp_path):
    scale = 336 / min(size)
    resized = [int(side * scale) if side != min(size) else 336 for side in size]
    cols, rows = resized[0] // 14, resized[1] // 14
    rng = np.random.default_rng(5)
    wrong = [((int(rng.integers(rows)), int(rng.integers(cols))), (int(rng.integers(rows)), int(rng.integers(cols))))
             for _ in range(20)]
    matches = shifted(rows - 3, cols - 2, (3, 1), wrong)
    pair = record(size, size, matches)
    vis(*place(size, size, pair), "--overlay", "--format", "png")

    cell = np.array([14 * size[0] / resized[0], 14 * size[1] / resized[1]])
    a = np.array([[(m[0][1] + 0.5), (m[0][0] + 0.5)] for m in matches]) * cell
    b = np.array([[(m[1][1] + 0.5), (m[1][0] + 0.5)] for m in matches]) * cell
    h, _ = cv2.findHomography(a, b, cv2.RANSAC, 8, maxIters=10000, confidence=0.9999)
    errors = np.linalg.norm(cv2.perspectiveTransform(a[None], h)[0] - b, axis=1)
    entry, = read_json(tmp_path / "out/pair_viz/gallery.json")["pairs"]
    assert (entry["matches"], entry["inliers"]) == (len(matches), int((errors <= 8).sum()))

    drawn = Image.open(tmp_path / "out/pair_viz" / entry["picture"])
    assert drawn.width == 2400
    overlay = np.asarray(Image.open(tmp_path / "out/pair_viz" / entry["overlay"]).convert("RGB")).astype(float)
    photo = np.asarray(picture(*size)).astype(float)
    dx, dy = np.rint((1 * cell[0], 3 * cell[1])).astype(int)
    inner = (slice(dy + 20, -20), slice(dx + 20, -20))
    expected = (photo[inner] + np.roll(photo, (dy, dx), (0, 1))[inner]) / 2
    assert np.abs(overlay[inner] - expected).mean() < 6  # half a pixel of rounding in a busy picture


def test_lines_end_at_the_matched_points(place, tmp_path):
    size = (900, 506)
    vis(*place(size, size, record(size, size, [((3, 4), (20, 30), 0.8)])), "--ransac", "off", "--linewidth", 4, "--alpha", 255,
        "--format", "png")
    drawn = np.asarray(Image.open(tmp_path / "out/pair_viz/vits14_300_0001/vits14_300.0001_300.0002.png").convert("RGB"))
    vis(*place(size, size, record(size, size, [])), "--ransac", "off", "--format", "png")
    empty = np.asarray(Image.open(tmp_path / "out/pair_viz/vits14_300_0001/vits14_300.0001_300.0002.png").convert("RGB"))
    height = round((2400 - 6) / (2 * 900 / 506))
    changed = np.argwhere((drawn[:height] != empty[:height]).any(2))
    left, right = changed[changed[:, 1].argmin()], changed[changed[:, 1].argmax()]
    panel, scale = 1197, 1197 / 900
    x = 14 * 900 / 597 * scale  # a cell, in pixels of the picture
    y = 14 * 506 / 336 * height / 506
    assert np.abs(left - (3.5 * y, 4.5 * x)).max() <= 6
    assert np.abs(right - (20.5 * y, panel + 6 + 30.5 * x)).max() <= 6


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("ransac", ["off", "affine", "homography"])
def test_few_matches_give_a_picture(count, ransac, place, tmp_path):
    matches = [((k, k), (k + 1, 2 * k), 0.5) for k in range(count)]
    vis(*place((500, 500), (500, 500), record((500, 500), (500, 500), matches)), "--ransac", ransac, "--overlay")
    Image.open(tmp_path / "out/pair_viz/vits14_300_0001/vits14_300.0001_300.0002.jpg").load()


def broken(change):
    pair = record((500, 500), (500, 500), [((1, 1), (2, 2), 0.5)])
    change(pair)
    return pair


CASES = {
    "the key 'cosine' is missing": lambda p: p.pop("cosine"),
    "the key 'patch.idx_b' is missing": lambda p: p["patch"].pop("idx_b"),
    "the key 'advanced_settings.match_threshold' is missing": lambda p: p["advanced_settings"].pop("match_threshold"),
    "unknown key 'wieght'; did you mean 'weight'?": lambda p: p.update(wieght=1),
    "patch: unknown key 'idx_c'": lambda p: p["patch"].update(idx_c=[]),
    "meta: unknown key 'host'": lambda p: p["meta"].update(host="x"),
    "patch: n_a: expected an integer >= 0, got 'many'": lambda p: p["patch"].update(n_a="many"),
    "1 idx_a, 2 idx_b and 1 similarities": lambda p: p["patch"]["idx_b"].append(3),
    "patch.idx_a[0]: token 576 of 576": lambda p: p["patch"].update(idx_a=[576]),
    "patch.grid_g_a: 25 x 25 cells for 576 tokens": lambda p: p["patch"].update(grid_g_a=25),
    "patch: expected a table of keys": lambda p: p.update(patch=[1]),
    "no such image: /photos/DS_300/other.png": lambda p: p.update(image_a="/photos/DS_300/other.png"),
    "no grid of 577 tokens fits": lambda p: p["patch"].update(n_a=577, grid_g_a=None),
}


@pytest.mark.parametrize("message", CASES)
def test_a_wrong_file_is_named_with_its_key(message, place):
    done = vis(*place((500, 500), (500, 500), broken(CASES[message])), status=1)
    assert message in done.stderr and "vits14_300.0001_300.0002.json" in done.stderr, done.stderr


def test_a_file_that_is_no_json_and_the_rest_goes_on(place, tmp_path):
    arguments = place((500, 500), (500, 500), record((500, 500), (500, 500), []))
    place((500, 500), (500, 500), '{"meta": {', name="vits14_300.0001_300.0003")
    done = vis(*arguments, status=1)
    assert "300.0003.json" in done.stderr and "1 pictures in" in done.stdout
    done = vis(*place((500, 500), (500, 500), broken(lambda p: p.update(note=1))), "--ignore-unknown-keys", status=None)
    assert done.stderr.count("note") == 0


def test_usage_without_a_terminal(place, tmp_path):
    arguments = place((500, 500), (500, 500), record((500, 500), (500, 500), []))
    assert "-a for all" in vis(*arguments[:-1], status=2).stderr
    assert "--alpha: 300 is not allowed" in vis(*arguments, "--alpha", 300, status=2).stderr
    assert "no such file or folder: no_such_folder" in vis(*arguments[:-1], "no_such_folder", status=1).stderr


LISTED = "[...document.querySelectorAll('#pairs article')].map((e) => e.dataset.name)"
DRAWN = "document.documentElement.dataset.drawn && document.getElementById('shown-text').textContent"


@pytest.fixture
def gallery(place, tmp_path):
    """Three pairs: many inliers, few, none; with the arguments that draw them."""
    size = (900, 506)
    rng = np.random.default_rng(3)
    wrong = [((int(a), int(b)), (int(c), int(d))) for a, b, c, d in rng.integers(0, 20, (40, 4))]
    arguments = place(size, size, record(size, size, shifted(15, 15, (2, 2), wrong)))
    place(size, size, record(size, size, shifted(10, 8, (1, 3), wrong)), name="vits14_300.0001_400.0002")
    place(size, size, record(size, size, []), name="vits14_400.0001_400.0002")
    vis(*arguments)
    return tmp_path / "out/pair_viz", arguments


def test_the_gallery_is_one_of_our_pages_and_shows_the_worst_first(gallery, browser):
    folder, _ = gallery
    pages.check(browser, folder / "index.html", "gallery", DRAWN)
    browser.open(folder / "index.html", DRAWN)
    entries = {e["name"]: e for e in read_json(folder / "gallery.json")["pairs"]}
    worst_first = sorted(entries, key=lambda name: entries[name]["inliers"])
    assert browser.evaluate(LISTED) == worst_first
    assert browser.evaluate("document.getElementById('answer-text').textContent").startswith(
        f"{sum(e['matched'] for e in entries.values())} of 3 pairs match, with ")

    def choose(selector, value, event="change"):
        browser.evaluate(f"(() => {{ const x = document.querySelector(`{selector}`); x.value = '{value}'; x.dispatchEvent(new Event('{event}')); }})()")

    choose("#order", "best")
    assert browser.evaluate(LISTED) == worst_first[::-1]
    choose("[data-fact='verdict']", "not matched")
    assert browser.evaluate(LISTED) == [name for name in worst_first if not entries[name]["matched"]][::-1]
    choose("[data-fact='verdict']", "")
    choose("[data-fact='altitude b']", "400")
    assert sorted(browser.evaluate(LISTED)) == ["vits14_300.0001_400.0002", "vits14_400.0001_400.0002"]
    choose("[data-fact='altitude b']", "")
    choose("#text", "300.0002", "input")
    assert browser.evaluate(LISTED) == ["vits14_300.0001_300.0002"]


def test_a_pair_is_zoomed_hovered_and_thinned(gallery, browser):
    folder, _ = gallery
    browser.open(folder / "index.html", DRAWN)
    browser.evaluate("document.querySelector('[data-name=\"vits14_300.0001_300.0002\"]').click()")
    browser.wait("document.getElementById('pair-title').textContent.includes('300.0001 > 300.0002') && window.pair_viewer.shown().length > 50")
    browser.evaluate("document.getElementById('viewer').scrollIntoView({block: 'center', behavior: 'instant'})")
    (entry,) = [e for e in read_json(folder / "gallery.json")["pairs"] if e["name"] == "vits14_300.0001_300.0002"]
    shown = browser.evaluate("window.pair_viewer.shown()")
    assert len(shown) == entry["matches"] and sum(m[5] for m in shown) == entry["inliers"]
    # The slider: what is left is what is at least as similar, in our pair file as well.
    similarities = sorted(m[4] for m in shown)
    threshold = round(similarities[len(similarities) // 2], 2)
    browser.evaluate(f"(() => {{ const x = document.getElementById('threshold'); x.value = {threshold}; x.dispatchEvent(new Event('input')); }})()")
    left = browser.evaluate("window.pair_viewer.shown()")
    assert 0 < len(left) < len(shown) and len(left) == sum(s >= threshold - 1e-9 for s in similarities)
    # A match under the mouse says what it is.
    browser.evaluate("(() => { const x = document.getElementById('kinds'); x.value = 'inliers'; x.dispatchEvent(new Event('input')); })()")
    box = browser.evaluate("(() => { const b = document.getElementById('canvas').getBoundingClientRect(); return [b.left, b.top]; })()")
    m = browser.evaluate("window.pair_viewer.shown()[0]")
    x, y = browser.evaluate(f"window.pair_viewer.on_screen(0, {m[0]}, {m[1]})")
    browser.mouse("mouseMoved", box[0] + x, box[1] + y)
    browser.wait("!document.getElementById('tip').hidden")
    tip = browser.evaluate("document.getElementById('tip').textContent")
    assert tip.startswith("inlier, similarity 0.8") or tip.startswith("inlier, similarity 0.9"), tip
    browser.mouse("mouseWheel", box[0] + x, box[1] + y, deltaX=0, deltaY=-600)
    browser.wait("window.pair_viewer.zoom_of() > 2")
    # What was under the mouse, in whole pixels, stays there.
    assert browser.evaluate(f"window.pair_viewer.on_screen(0, {m[0]}, {m[1]})") == pytest.approx([x, y], abs=2)
    browser.evaluate("document.getElementById('zoom-all').click()")
    assert browser.evaluate("window.pair_viewer.zoom_of()") == 1
    assert all(r.startswith(("file:", "data:")) for r in browser.requests), browser.requests
    assert browser.problems == []


def test_what_is_drawn_is_skipped_until_something_changes(gallery, tmp_path):
    folder, arguments = gallery
    pictures = sorted(folder.glob("vits14_*/*.jpg"))
    assert len(pictures) == 3 and not list(folder.rglob("*.png"))
    before = [p.stat().st_mtime_ns for p in pictures]
    assert "0 pictures in" in vis(*arguments).stdout
    done = vis(*arguments)
    assert "3 were there already" in done.stdout and [p.stat().st_mtime_ns for p in pictures] == before
    assert len(read_json(folder / "gallery.json")["pairs"]) == 3
    assert "3 pictures in" in vis(*arguments, "--max-lines", 10).stdout
    assert "3 pictures in" in vis(*arguments, "--max-lines", 10, "--again").stdout
    changed = tmp_path / "out/pair_match/vits14_300_0001/vits14_400.0001_400.0002.json"
    changed.write_text(json.dumps(record((900, 506), (900, 506), shifted(8, 8, (1, 1)))))
    done = vis(*arguments, "--max-lines", 10)
    assert "1 pictures in" in done.stdout and "2 were there already" in done.stdout
    # A photo is there once, however many pairs it is in, and the whole is small.
    assert len(list((folder / "viewer/photos").iterdir())) == 2


def test_an_interrupted_run_leaves_its_index_and_goes_on(place, tmp_path, browser):
    size = (900, 506)
    pair = record(size, size, shifted(15, 15, (2, 2)))
    for k in range(40):
        arguments = place(size, size, pair, name=f"vits14_300.0001_300.{k:04}")
    process = start("vis", *arguments, env=UNSET)
    folder = tmp_path / "out/pair_viz"
    while len(list(folder.glob("vits14_*/*.jpg"))) < 3:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = finish(process, 130)
    entries = read_json(folder / "gallery.json")["pairs"]
    assert 2 <= len(entries) < 40 and f"interrupted after {len(entries)} of 40 pictures" in err and "the same command draws the rest" in err
    browser.open(folder / "index.html", DRAWN)
    assert browser.evaluate(f"{LISTED}.length") == len(entries)
    done = vis(*arguments)
    assert f"{40 - len(entries)} pictures in" in done.stdout and f"{len(entries)} were there already" in done.stdout
    assert len(read_json(folder / "gallery.json")["pairs"]) == 40


def test_a_terminal_is_asked_for_folders_and_files(place, tmp_path):
    """A real pseudo-terminal: the lists, a wrong answer, a folder and one of its two files."""
    pair = record((500, 500), (500, 500), shifted(20, 20, (1, 2)))
    arguments = place((500, 500), (500, 500), pair)[:-1]  # without -a
    place((500, 500), (500, 500), pair, "vits14_300.0001_300.0009")
    other = tmp_path / "out" / "pair_match" / "vits14_400_0001"
    other.mkdir()
    (other / "vits14_400.0001_300.0002.json").write_text(json.dumps(pair))
    terminal = pexpect.spawn(PROGRAM, ["vis", *map(str, arguments), "--no-gallery"], encoding="utf-8", timeout=120,
                             env=environment(UNSET | {"TERM": "dumb"}))
    terminal.expect("1  vits14_300_0001\r\n +2  vits14_400_0001\r\nfolders .* leave\\): ")
    terminal.sendline("3")
    terminal.expect("expected numbers from 1 to 2")
    terminal.sendline("1")
    terminal.expect("1  vits14_300.0001_300.0002.json\r\n +2  vits14_300.0001_300.0009.json")
    terminal.sendline("2-2")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0, terminal.before
    drawn = sorted(p.name for p in (tmp_path / "out/pair_viz").rglob("*.jpg"))
    assert drawn == ["vits14_300.0001_300.0009.jpg"]
