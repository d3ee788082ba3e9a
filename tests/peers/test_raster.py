# SPDX-License-Identifier: Apache-2.0
"""Layered point maps against trimesh's rays, triangle by triangle; a sphere against its formula; and the command."""

import json

import numpy as np
import pytest
import trimesh

import meshes
from files import write_json
from program import finish, lua, run, start

SIZE = 160
VIEW = """
local arrays, jobs = im.io.read_npz(arg[1]), im.io.read_json(arg[2])
local mesh = im.mesh.new(arrays)
for i, job in ipairs(jobs) do
  local camera = im.camera.look_at { eye = job.eye, target = job.target, width = %d, height = %d, focal_mm = job.focal }
  local view = im.raster.view(mesh, camera, { layers = 16, width = %d, height = %d, near_z = 1e-3 })
  im.io.write_npz(arg[3] .. i .. ".npz", { points = view:points "opencv", depth = view:depth() })
  im.io.write_json(arg[3] .. i .. ".json", camera)
end""".replace("%d", str(SIZE))


def views(tmp_path, mesh, cameras):
    """(dense points, depth, camera) of each of `cameras`: (eye, target, focal)."""
    np.savez(tmp_path / "mesh.npz", positions=np.asarray(mesh.vertices, np.float32), triangles=mesh.faces)
    jobs = [{"eye": list(eye), "target": list(target), "focal": focal} for eye, target, focal in cameras]
    lua(VIEW, tmp_path / "mesh.npz", write_json(tmp_path / "jobs.json", jobs), tmp_path / "view")
    for i in range(1, len(cameras) + 1):
        arrays = np.load(tmp_path / f"view{i}.npz")
        yield arrays["points"], arrays["depth"], json.loads((tmp_path / f"view{i}.json").read_text())


def rays_of(camera, pixels):
    """Origin and directions of depth 1 of (row, column) pixels."""
    turn, shift = np.reshape(camera["rotation"], (3, 3)), np.array(camera["translation"])
    inside = np.stack([(pixels[:, 1] + 0.5 - camera["cx"]) / camera["fx"], (pixels[:, 0] + 0.5 - camera["cy"]) / camera["fy"],
                       np.ones(len(pixels))], axis=1)
    return -turn.T @ shift, inside @ turn


def away_from_silhouettes(counts):
    """Pixels around which the number of surfaces does not change."""
    padded = np.pad(counts, 1, mode="edge")
    same = np.ones(counts.shape, bool)
    for dy in range(3):
        for dx in range(3):
            same &= padded[dy:dy + SIZE, dx:dx + SIZE] == counts
    return same


def compare_with_rays(mesh, points, depth, camera, num_pixels, rng):
    counts = (points[..., 6] > 0).sum(2)
    chosen = np.argwhere(away_from_silhouettes(counts) & (counts > 0))
    chosen = chosen[rng.permutation(len(chosen))[:num_pixels]]
    origin, directions = rays_of(camera, chosen)
    tracer = trimesh.ray.ray_triangle.RayMeshIntersector(mesh)
    _, ray, where = tracer.intersects_id(np.tile(origin, (len(chosen), 1)), directions, multiple_hits=True,
                                         return_locations=True)
    box, equal, worst = np.ptp(mesh.vertices, axis=0).max(), 0, 0.0
    for i, (row, column) in enumerate(chosen):
        hits = where[ray == i]
        hits = hits[np.argsort((hits - origin) @ directions[i])]
        along = (hits - origin) @ directions[i] / (directions[i] @ directions[i])
        keep = np.concatenate([[True], np.diff(along) > 1e-9 * box]) if len(hits) else np.zeros(0, bool)
        hits = hits[keep]  # a ray through an edge meets both triangles there
        if len(hits) != counts[row, column]:
            continue
        equal += 1
        worst = max(worst, np.abs(points[row, column, :len(hits), :3] - hits).max())
    assert equal >= 0.999 * len(chosen), (equal, len(chosen))
    assert worst <= 1e-4 * box, worst / box
    return counts


def meshes_to_compare(data):
    box = trimesh.creation.box((1, 1, 1))
    nested = trimesh.util.concatenate(
        [box.copy().apply_scale(s).apply_transform(trimesh.transformations.euler_matrix(s, 2 * s, 0)) for s in (1, 0.6, 0.3)])
    yield "nested boxes", nested, True
    yield "torus", trimesh.creation.torus(1, 0.35, 48, 24), True
    yield "sphere", trimesh.creation.icosphere(4), True
    fox = meshes.Glb(data / "fox/Fox.glb")
    yield "fox", trimesh.Trimesh(fox.posed("Run", 0.3), fox.triangles, process=False), False
    if meshes.dog_path() is not None:
        positions, triangles, _, _ = meshes.read_skn(meshes.dog_path())
        yield "dog", trimesh.Trimesh(positions, triangles, process=False), True


def test_surfaces_are_those_that_rays_meet(data, tmp_path):
    rng = np.random.default_rng(5)
    seen = 0
    for name, mesh, watertight in meshes_to_compare(data):
        mesh.vertices = np.asarray(mesh.vertices, np.float32)  # what the program is given
        centre, size = mesh.bounds.mean(0), np.ptp(mesh.bounds, axis=0).max()
        cameras = []
        for _ in range(2):
            way = rng.normal(size=3)
            cameras.append((centre + 2.2 * size * way / np.linalg.norm(way), centre, 55))
        for points, depth, camera in views(tmp_path, mesh, cameras):
            counts = compare_with_rays(mesh, points, depth, camera, 400, rng)
            assert counts.max() >= 2
            if watertight:
                assert np.all(counts % 2 == 0), name
        seen += 1
    assert seen >= 4


def test_a_sphere_lies_where_its_formula_says(tmp_path):
    sphere = trimesh.creation.icosphere(8)  # 1,310,720 triangles
    flatness = 1 - np.linalg.norm(sphere.triangles_center, axis=1).min()  # how deep the facets lie: 4.5e-6
    eye = np.array([0.3, 0.4, 3.1])
    ((points, depth, camera),) = views(tmp_path, sphere, [(eye, (0, 0, 0), 50)])
    counts = (points[..., 6] > 0).sum(2)
    pixels = np.argwhere(away_from_silhouettes(counts) & (counts == 2))
    assert len(pixels) > 3000
    origin, directions = rays_of(camera, pixels)
    a, b, c = (directions**2).sum(1), directions @ origin, origin @ origin - 1
    root = np.sqrt(b * b - a * c)
    for layer, along in ((0, (-b - root) / a), (1, (-b + root) / a)):
        found = points[pixels[:, 0], pixels[:, 1], layer, :3]
        below = 1 - np.linalg.norm(found, axis=1)  # along the normal, as deep as the facets are and no deeper
        assert -2e-6 < below.min() and below.max() < flatness + 2e-6 < 1e-5
        off = np.linalg.norm(found - (origin + along[:, None] * directions), axis=1)
        slant = root / np.sqrt(a)  # cosine between ray and normal
        steep = slant > 0.3
        # Sideways too, although a pixel whose centre is taken for inside, since corners are rounded to 1/4096 px, gets the nearest
        # point of the triangle.
        assert np.all((off * slant)[steep] < 1e-5)


def test_the_command_renders_skips_and_divides(data, tmp_path):
    fox, out = data / "fox/Fox.glb", tmp_path / "out"
    words = ("pointmap", "raster", fox, "--out", out, "--count", "6", "--size", "64", "--normals")
    both = [start(*words), start(*words)]
    for process in both:
        finish(process)
    names = sorted(p.name for p in (out / "pointmaps_64").iterdir())
    assert names == [f"Fox_{i:06}.npz" for i in range(1, 7)]
    assert not (out / ".raster").exists()
    sample = np.load(out / "pointmaps_64" / names[0])
    assert sample["indices"].dtype == np.uint8 and sample["values"].dtype == np.float32
    assert sample["shape"].tolist() == [64, 64, 8, 7] and np.all(sample["values"][:, 6] == 1)
    order = sample["indices"].astype(int) @ [64 * 8, 8, 1]
    assert np.all(np.diff(order) > 0)
    assert np.ptp(sample["values"][:, :3], axis=0).max() < 1.0001  # to extent 1
    times = {p: p.stat().st_mtime_ns for p in (out / "pointmaps_64").iterdir()}
    run(*words)
    assert times == {p: p.stat().st_mtime_ns for p in (out / "pointmaps_64").iterdir()}
    (out / "pointmaps_64" / names[3]).unlink()
    run(*words, "-j", "2")
    again = np.load(out / "pointmaps_64" / names[0])
    assert np.array_equal(again["values"], sample["values"])
    run(*words, "--force", "--backend", "torch")
    forced = np.load(out / "pointmaps_64" / names[0])
    assert np.array_equal(forced["values"], sample["values"]) and np.array_equal(forced["indices"], sample["indices"])
    for kind, ending in (("renders", "rgb"), ("masks", "mask"), ("normals", "normal")):
        assert len(list((out / kind).glob(f"Fox_*_{ending}.png"))) == 6


def dualpm_folder(root, fox, ids):
    """A data set as DualPM's code reads it, of the fox at rest."""
    for name in ("renders", "poses", "metadata", "cameras", "shapes/fox"):
        (root / name).mkdir(parents=True)
    (root / "shapes/fox/fox_shape.glb").write_bytes(fox.read_bytes())
    nodes = json.loads(fox.read_bytes()[20:20 + int.from_bytes(fox.read_bytes()[12:16], "little")])["nodes"]
    poses = np.array([[*np.roll(n.get("rotation", [0, 0, 0, 1]), 1), *n.get("translation", [0, 0, 0])] for n in nodes])
    for name in ids:
        (root / f"renders/{name}_rgb.png").write_bytes(b"")
        np.savez(root / f"poses/{name}_pose.npz", poses=poses)
        (root / f"metadata/{name}_metadata.txt").write_text("model_name: fox\nfocal_length: 50.0\n")
        (root / f"cameras/{name}_camera.txt").write_text("1 0 0 0\n0 0 -1 -250\n0 1 0 40\n0 0 0 1\n")


def test_a_data_set_of_dualpm(data, tmp_path):
    fox = data / "fox/Fox.glb"
    dualpm_folder(tmp_path, fox, ["1", "2", "3", "5000"])
    (tmp_path / "exclude.txt").write_text("3\n")
    (tmp_path / "cameras/2_camera.txt").write_text("1 0 0\n")
    done = run("pointmap", "raster", tmp_path, "--far", 1000, "--exclude", tmp_path / "exclude.txt", status=1)
    assert "2: " in done.stderr and "3 numbers; expected 4 lines of 4" in done.stderr
    assert [p.name for p in (tmp_path / "pointmaps_160").iterdir()] == ["1.npz"]
    sample = np.load(tmp_path / "pointmaps_160/1.npz")
    # Seen from z-up (0, -250, 40) along +y: OpenGL's camera axes are the world's (y up), its origin's depth is taken away.
    rest = meshes.Glb(fox)
    shift = sample["values"][:, 3:6] - [0, -40, 0]
    assert np.all(shift >= rest.positions.min(0) - 25) and np.all(shift <= rest.positions.max(0) + 25)
    first = sample["values"][sample["indices"][:, 2] == 0]
    assert len(first) > 500
    listed = tmp_path / "include.txt"
    listed.write_text("1\n77\n")
    for wrong, message in (("model_name: fox\n", "expected model_name, and focal_length"),
                           ("model_name: fox\nfocal_length: 0\n", "expected model_name, and focal_length"),
                           ("model_name: fox\nfocal_length: 1e308\n", "expected model_name, and focal_length"),
                           ("model_name: ../fox\nfocal_length: 50\n", "no name of a folder"),
                           ("model_name: 'cow' # of the farm\nfocal_length: 50\n", "cow_shape.gltf: no such file")):
        (tmp_path / "metadata/3_metadata.txt").write_text(wrong)
        (tmp_path / "three.txt").write_text("3\n")
        assert message in run("pointmap", "raster", tmp_path, "--include", tmp_path / "three.txt", status=1).stderr
    assert "id '77' is not in" in run("pointmap", "raster", tmp_path, "--include", listed, status=2).stderr


@pytest.mark.parametrize("words, message", [
    (("none.glb", "--out", "x"), "none.glb: no such mesh or folder"),
    (("{fox}",), "--out is missing"),
    (("{fox}", "--out", "x", "--clip", "Fly"), "no clip 'Fly'; the file has"),
    (("{fox}", "--out", "x", "--size", "0"), "0 is not allowed"),
    (("{points}", "--out", "x"), "points without triangles"),
    (("{stiff}", "--out", "x", "--clip", "Run"), "without skeleton"),
    (("{stiff}", "--out", "x", "--bend", "8"), "without skeleton"),
    (("{box}", "--out", "x", "--camera", "{inside}", "--size", "32"), "the camera stands inside of the mesh"),
    (("{two}", "--out", "x"), "2 meshes"),
    (("{heavy}", "--out", "x"), "weights"),
])
def test_bad_input_is_said_in_one_line(data, tmp_path, words, message):
    (tmp_path / "points.ply").write_text("ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\n"
                                         "property float z\nend_header\n0 0 0\n")
    trimesh.creation.box((1, 1, 1)).export(tmp_path / "box.ply")
    (tmp_path / "inside.json").write_text(json.dumps({"fx": 30, "fy": 30, "cx": 16, "cy": 16}))
    trimesh.Scene([trimesh.creation.box((1, 1, 1)), trimesh.creation.icosphere(1)]).export(tmp_path / "two.glb")
    fox = bytearray((data / "fox/Fox.glb").read_bytes())
    head = json.loads(fox[20:20 + int.from_bytes(fox[12:16], "little")])
    accessor = head["accessors"][head["meshes"][0]["primitives"][0]["attributes"]["WEIGHTS_0"]]
    start = 28 + int.from_bytes(fox[12:16], "little") + accessor.get("byteOffset", 0) + head["bufferViews"][accessor["bufferView"]].get("byteOffset", 0)
    fox[start:start + 16] = np.array([0.5, 0.1, 0, 0], "<f4").tobytes()
    (tmp_path / "heavy.glb").write_bytes(fox)
    (tmp_path / "stiff.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    names = {"fox": data / "fox/Fox.glb", "points": tmp_path / "points.ply"} | {
        name: tmp_path / f"{name}{ending}" for name, ending in (("stiff", ".obj"), ("box", ".ply"), ("inside", ".json"), ("two", ".glb"),
                                                                ("heavy", ".glb"))}
    done = run("pointmap", "raster", *(w.format(**names) for w in words), status=None, cwd=tmp_path)
    assert done.returncode in (1, 2) and message in done.stderr and "traceback" not in done.stderr
