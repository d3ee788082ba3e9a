# SPDX-License-Identifier: Apache-2.0
"""Exports for hloc and COLMAP, opened by h5py as hloc opens them and by pycolmap."""

import itertools
import sqlite3

import h5py
import numpy as np
import pytest
from PIL import Image

from files import read_json, write_json
from pictures import blotches
from program import run

pycolmap = pytest.importorskip("pycolmap")

BACKBONE = "dense_sift step=16 image_size=288"
SHIFT = {"x_400_0001.png": (0, 0), "x_300_0002.png": (64, 32), "below/x_300_0003.png": (32, 64)}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Three windows of one picture, shifted by whole tokens: keypoints that match lie (64, 32) and (32, 64) px apart."""
    folder = tmp_path_factory.mktemp("photos")
    whole = blotches(np.random.default_rng(3), (80, 66), (480, 400))
    for name, (x, y) in SHIFT.items():
        (folder / name).parent.mkdir(exist_ok=True)
        whole.crop((x, y, x + 352, y + 288)).save(folder / name)
    return folder


@pytest.fixture(scope="module")
def from_pictures(photos, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    run("export", photos, "--backbone", BACKBONE, "--match-th", 0.8, "--out", out)
    return out


@pytest.fixture(scope="module")
def from_pair_files(photos, tmp_path_factory):
    matched, out = tmp_path_factory.mktemp("matched"), tmp_path_factory.mktemp("out")
    run("run", "-w", "dense_sift", "--root", photos, "--out", matched, "--match-th", 0.8, "--image-size", 288)
    run("export", matched / "pair_match", "--out", out, "--img-root", photos)
    return out


def hloc_keypoints(path, name):
    """As hloc.utils.io.get_keypoints."""
    with h5py.File(path, "r", libver="latest") as file:
        return file[name]["keypoints"].__array__()


def hloc_matches(path, name0, name1):
    """As hloc.utils.io.get_matches for a pair in this order."""
    with h5py.File(path, "r", libver="latest") as file:
        pair = file["/".join((name0.replace("/", "-"), name1.replace("/", "-")))]
        matches = pair["matches0"].__array__()
        scores = pair["matching_scores0"].__array__()
    index = np.where(matches != -1)[0]
    return np.stack([index, matches[index]], -1), scores[index]


def pairs_of(out):
    return [tuple(line.split()) for line in (out / "pairs.txt").read_text().splitlines()]


@pytest.mark.parametrize("source", ["from_pictures", "from_pair_files"])
def test_hloc_reads_the_matches(source, request):
    out = request.getfixturevalue(source)
    pairs = pairs_of(out)
    assert {frozenset(p) for p in pairs} == {frozenset(p) for p in itertools.combinations(SHIFT, 2)}
    assert len(pairs) == 3
    for a, b in pairs:
        matches, scores = hloc_matches(out / "matches.h5", a, b)
        assert len(matches) > 50
        assert (scores >= 0.79).all() and (scores <= 1.001).all()
        there = hloc_keypoints(out / "features.h5", a)[matches[:, 0]] - hloc_keypoints(out / "features.h5", b)[matches[:, 1]]
        right = np.all(np.abs(there - (np.subtract(SHIFT[b], SHIFT[a]))) < 0.01, axis=1)
        assert right.mean() > 0.5  # tokens outside of the overlap match anything


def test_hloc_features(photos, from_pictures):
    script = photos.parent / "features.lua"
    script.write_text("""
local im = require "imatch"
local features = im.backbone.features({ im.image.open(arg[1]) }, "dense_sift step=16 image_size=288")[1]
im.io.write_npy(arg[2], features:tokens())
im.io.write_npy(arg[3], features:global())
""")
    names = [photos / "x_300_0002.png", photos.parent / "tokens.npy", photos.parent / "global.npy"]
    run(script, *names)
    tokens, whole = np.load(names[1]), np.load(names[2])
    tokens = tokens.reshape(-1, tokens.shape[-1])
    with h5py.File(from_pictures / "features.h5") as file:
        group = file["x_300_0002.png"]
        assert group["image_size"][:].tolist() == [352, 288]
        assert group["descriptors"].dtype == np.float16 and group["keypoints"].dtype == np.float32
        assert group["descriptors"].shape == tokens.T.shape
        np.testing.assert_array_equal(group["descriptors"][:], tokens.T.astype(np.float16))
        assert "keypoints" in file["below/x_300_0003.png"]
    with h5py.File(from_pictures / "global.h5") as file:
        np.testing.assert_array_equal(file["x_300_0002.png"]["global_descriptor"][:], whole.ravel().astype(np.float16))
    with h5py.File(from_pictures / "matches.h5") as file:
        assert file["below-x_300_0003.png" if "below-x_300_0003.png" in file else next(iter(file))]
        first = next(iter(next(iter(file.values())).values()))
        assert first["matches0"].dtype == np.int16


@pytest.mark.parametrize("source", ["from_pictures", "from_pair_files"])
def test_colmap_and_hloc_agree_up_to_half_a_pixel(source, request, tmp_path):
    out = request.getfixturevalue(source)
    path = tmp_path / "database.db"
    path.write_bytes((out / "database.db").read_bytes())  # pycolmap brings the tables up to its own version
    database = pycolmap.Database.open(str(path))
    images = {image.name: image for image in database.read_all_images()}
    assert set(images) == set(SHIFT)
    assert database.num_cameras() == 3
    for name, image in images.items():
        camera = database.read_camera(image.camera_id)
        assert (camera.width, camera.height) == (352, 288)
        assert camera.model.name == "SIMPLE_RADIAL"
        np.testing.assert_allclose(camera.params, [1.2 * 352, 176, 144, 0])
        keypoints = np.array(database.read_keypoints(image.image_id))[:, :2].astype(np.float64)
        np.testing.assert_allclose(keypoints, hloc_keypoints(out / "features.h5", name) + 0.5, atol=1e-4)
    for a, b in pairs_of(out):
        ours = hloc_matches(out / "matches.h5", a, b)[0]
        theirs = database.read_matches(images[a].image_id, images[b].image_id)
        assert {tuple(m) for m in np.array(theirs)} == {tuple(m) for m in ours}
        geometry = database.read_two_view_geometry(images[a].image_id, images[b].image_id)
        assert geometry.config == pycolmap.TwoViewGeometryConfiguration.PLANAR_OR_PANORAMIC
        h = np.array(geometry.H) / geometry.H[2, 2]
        shift = np.eye(3)
        shift[:2, 2] = np.subtract(SHIFT[a], SHIFT[b])
        np.testing.assert_allclose(h, shift, atol=0.5)
        inliers = np.array(geometry.inlier_matches)
        assert len(inliers) > 50 and {tuple(m) for m in inliers} <= {tuple(m) for m in ours}
    database.close()


def test_colmap_schema_and_ids(from_pair_files):
    """By the documentation of the format: https://colmap.github.io/database.html"""
    database = sqlite3.connect(from_pair_files / "database.db")
    ids = dict(database.execute("SELECT name, image_id FROM images"))
    rows = dict(database.execute("SELECT pair_id, rows FROM matches"))
    assert set(rows) == {min(i, k) * 2147483647 + max(i, k) for i, k in itertools.combinations(ids.values(), 2)}
    for image, count, cols, data in database.execute("SELECT image_id, rows, cols, data FROM keypoints"):
        points = np.frombuffer(data, np.float32).reshape(count, cols)
        assert cols == 2 and (points > 0).all() and (points < [352, 288]).all()
        for pair, number, blob in database.execute("SELECT pair_id, rows, data FROM matches"):
            matches = np.frombuffer(blob, np.uint32).reshape(number, 2)
            for column, of in enumerate(divmod(pair, 2147483647)):
                if of == image:
                    assert matches[:, column].max() < count


def test_a_pair_that_chance_explains_is_not_verified(photos, tmp_path):
    """Its matches are exported, but COLMAP gets geometry of pairs that are matched alone."""
    for name in ("x_400_0001.png", "x_300_0002.png"):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_bytes((photos / name).read_bytes())
    blotches(np.random.default_rng(99), (80, 66), (352, 288)).save(tmp_path / "in/other.png")
    run("export", tmp_path / "in", "--backbone", BACKBONE, "--match-th", 0.3, "--out", tmp_path / "out")
    database = sqlite3.connect(tmp_path / "out/database.db")
    ids = dict(database.execute("SELECT name, image_id FROM images"))
    numbers = {pair: rows for pair, rows in database.execute("SELECT pair_id, rows FROM matches")}
    assert len(numbers) == 3 and min(numbers.values()) >= 4  # enough for a homography
    one, two = sorted((ids["x_400_0001.png"], ids["x_300_0002.png"]))
    assert database.execute("SELECT pair_id FROM two_view_geometries WHERE rows > 0").fetchall() == [(2147483647 * one + two,)]


def test_single_camera_pairs_file_and_refusals(photos, tmp_path):
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("below/x_300_0003.png x_400_0001.png\n")
    run("export", photos, "--backbone", BACKBONE, "--pairs", pairs, "--out", tmp_path / "out", "--single-camera",
        "--ransac", "off", "--float32")
    database = sqlite3.connect(tmp_path / "out/database.db")
    assert database.execute("SELECT count(*) FROM cameras").fetchone() == (1,)
    assert database.execute("SELECT count(*) FROM matches").fetchone() == (1,)
    assert database.execute("SELECT count(*) FROM two_view_geometries").fetchone() == (0,)
    with h5py.File(tmp_path / "out/features.h5") as file:
        assert file["x_400_0001.png/descriptors"].dtype == np.float32
    pairs.write_text("missing.png x_400_0001.png\n")
    for arguments, text in {
        (photos, "--backbone", BACKBONE, "--pairs", pairs, "--out", tmp_path / "no"): "names a picture that is not among",
        (tmp_path / "nothing", "--out", tmp_path / "no"): "no such file or folder",
        (photos, "--out", tmp_path / "no"): "no pair files",
        (photos, "--backbone", BACKBONE, "--out", pairs): "pairs.txt",
    }.items():
        done = run("export", *arguments, status=1)
        assert text in done.stderr, done.stderr
        assert done.stderr.count("imatch-lua export: ") == 1 and "traceback" not in done.stderr, done.stderr


def test_pair_files_of_two_backbones_need_a_choice(photos, tmp_path):
    for size, weight in ((288, "one"), (144, "two")):
        run("run", "-w", "dense_sift", "--root", photos, "--out", tmp_path / weight, "--image-size", size)
        for file in (tmp_path / weight).rglob("*.json"):
            pair = read_json(file)
            pair["weight"] = weight
            write_json(file, pair)
    done = run("export", tmp_path / "one", tmp_path / "two", "--out", tmp_path / "out", status=1)
    assert "--weight chooses one" in done.stderr
    run("export", tmp_path / "one", tmp_path / "two", "--out", tmp_path / "out", "--weight", "two", "--img-root", photos)
    assert len(pairs_of(tmp_path / "out")) == 3


def turned_photos(folder):
    """Two photos stored lying (orientations 6 and 3): upright they are windows of one picture."""
    whole = blotches(np.random.default_rng(3), (80, 66), (480, 400))
    for name, (x, y), orientation, turn in (("a.jpg", (0, 0), 6, Image.Transpose.ROTATE_90), ("b.jpg", (64, 32), 3, Image.Transpose.ROTATE_180)):
        exif = Image.Exif()
        exif[0x0112] = orientation
        whole.crop((x, y, x + 352, y + 288)).convert("RGB").transpose(turn).save(folder / name, quality=97, exif=exif)


def test_photos_with_an_orientation_are_exported_as_they_are_stored(tmp_path):
    """hloc reads with cv2.IMREAD_IGNORE_ORIENTATION, COLMAP does not look at it: keypoints must lie in what they see."""
    cv2 = pytest.importorskip("cv2")
    (tmp_path / "photos").mkdir()
    turned_photos(tmp_path / "photos")
    for way in ((), ("--upright",)):
        out = tmp_path / ("out" + "".join(way))
        run("export", tmp_path / "photos", "--backbone", BACKBONE, "--match-th", 0.8, "--out", out, *way)
        database = pycolmap.Database.open(str(out / "database.db"))
        images = {image.name: image for image in database.read_all_images()}
        for name, stored in {"a.jpg": (288, 352), "b.jpg": (352, 288)}.items():
            seen = cv2.imread(str(tmp_path / "photos" / name), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
            assert seen.shape[1::-1] == stored
            size = (352, 288) if way else stored
            camera = database.read_camera(images[name].camera_id)
            assert (camera.width, camera.height) == size
            with h5py.File(out / "features.h5") as file:
                assert tuple(file[name]["image_size"][:]) == size
                points = file[name]["keypoints"][:]
            assert (points > -0.5).all() and (points < np.array(size) - 0.5).all()
            np.testing.assert_allclose(np.array(database.read_keypoints(images[name].image_id))[:, :2], points + 0.5, atol=1e-4)
        matches, _ = hloc_matches(out / "matches.h5", "a.jpg", "b.jpg")
        a, b = (hloc_keypoints(out / "features.h5", n)[matches[:, i]] + 0.5 for i, n in enumerate(("a.jpg", "b.jpg")))
        if not way:  # a is turned clockwise to stand upright, b by 180 degrees
            a, b = np.stack([352 - a[:, 1], a[:, 0]], -1), np.array([352, 288]) - b
        right = np.all(np.abs((a - b) - np.array([64, 32])) < 0.05, axis=1)
        assert right.mean() > 0.5
        geometry = database.read_two_view_geometry(images["a.jpg"].image_id, images["b.jpg"].image_id)
        h, rows = np.array(geometry.H), np.array(geometry.inlier_matches)
        first = np.array(database.read_keypoints(images["a.jpg"].image_id))[rows[:, 0], :2]
        second = np.array(database.read_keypoints(images["b.jpg"].image_id))[rows[:, 1], :2]
        mapped = np.c_[first, np.ones(len(first))] @ h.T
        assert len(rows) > 50 and np.abs(mapped[:, :2] / mapped[:, 2:] - second).max() < 8.1
        database.close()


def test_names_that_hloc_cannot_tell_apart_are_refused_before_the_work(data, photos, tmp_path):
    odd = data / "odd_inputs"
    for folder, text in {"names_with_spaces": "has a blank in its name", "names_collide": "are both 'A-x.jpg' in hloc's matches.h5"}.items():
        done = run("export", odd / folder, "--backbone", BACKBONE, "--out", tmp_path / "no", status=1)
        assert text in done.stderr and not (tmp_path / "no").exists()
    # For COLMAP alone they are allowed, and a list may hold them, with a byte order mark and CRLF.
    pairs = tmp_path / "pairs.txt"
    pairs.write_bytes("\ufeffDJI 0002.JPG DJI 0001.JPG\r\n".encode())
    run("export", odd / "names_with_spaces", "--backbone", BACKBONE, "--pairs", pairs, "--format", "colmap", "--out", tmp_path / "blanks")
    database = sqlite3.connect(tmp_path / "blanks/database.db")
    assert {name for (name,) in database.execute("SELECT name FROM images")} == {"DJI 0001.JPG", "DJI 0002.JPG"}
    assert database.execute("SELECT count(*) FROM matches").fetchone() == (1,)
    run("export", odd / "names_collide", "--backbone", BACKBONE, "--pairs", odd / "pairs_with_bom.txt", "--format", "colmap",
        "--out", tmp_path / "bom")
    assert sqlite3.connect(tmp_path / "bom/database.db").execute("SELECT count(*) FROM matches").fetchone() == (1,)


def test_a_file_that_cannot_be_read_does_not_end_an_export(photos, tmp_path):
    (tmp_path / "some").mkdir()
    for name in ("x_400_0001.png", "x_300_0002.png"):
        (tmp_path / "some" / name).write_bytes((photos / name).read_bytes())
    (tmp_path / "some/empty.jpg").write_bytes(b"")
    done = run("export", tmp_path / "some", "--backbone", BACKBONE, "--out", tmp_path / "out")
    assert "1 files could not be read" in done.stderr and "empty.jpg: empty file" in done.stderr
    assert len(pairs_of(tmp_path / "out")) == 1
