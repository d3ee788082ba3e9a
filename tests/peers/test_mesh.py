# SPDX-License-Identifier: Apache-2.0
"""Meshes against trimesh, skinning against the rules of glTF in NumPy, and a folder of broken files."""

import pathlib

import numpy as np
import pytest
import trimesh

import meshes
from files import write_json
from program import lua

MODELS = pathlib.Path("/usr/share/assimp/models")


def test_clips_and_skins_are_those_of_gltf(data, tmp_path):
    path = data / "fox/Fox.glb"
    fox = meshes.Glb(path)
    moments = [(clip, time) for clip in fox.clips for time in (0.0, 0.31, 0.7, 5.0)]
    assert len(moments) == 12
    lua("""local mesh = assert(im.mesh.open(arg[1]))
        for i, m in ipairs(im.io.read_json(arg[2])) do
          im.io.write_npy(arg[3] .. i .. ".npy", mesh:posed { clip = m[1], time_s = m[2] })
        end
        local info = mesh:info()
        assert(info.triangles == 576 and #info.joints == 24 and #info.clips == 3)""",
        path, write_json(tmp_path / "moments.json", moments), tmp_path / "posed")
    extent = np.ptp(fox.positions, axis=0).max()
    for i, (clip, time) in enumerate(moments, 1):
        np.testing.assert_allclose(np.load(tmp_path / f"posed{i}.npy"), fox.posed(clip, time), atol=2e-6 * extent)


def test_the_dog_has_as_many_influences_as_it_needs(tmp_path):
    path = meshes.dog_path()
    if path is None:
        pytest.skip("dm_control is not installed")
    positions, triangles, weights, rest = meshes.read_skn(path)
    rng = np.random.default_rng(1)
    poses = np.concatenate([rest[:, 3:] + 0.2 * rng.normal(size=(len(rest), 4)),
                            rest[:, :3] + 0.02 * rng.normal(size=(len(rest), 3))], axis=1)
    np.savez(tmp_path / "poses.npz", poses=poses, with_mesh=np.concatenate([poses, [[1, 0, 0, 0, 0, 0, 0]]]))
    lua("""local mesh = assert(im.mesh.open(arg[1]))
        assert(mesh:info().most_influences == 11)
        local poses = im.io.read_npz(arg[2]).poses
        im.io.write_npy(arg[3] .. "/skn.npy", mesh:posed(poses))
        assert(mesh:save(arg[3] .. "/dog.glb"))
        poses = im.io.read_npz(arg[2]).with_mesh -- in a GLB the mesh hangs on a node of its own
        im.io.write_npy(arg[3] .. "/glb.npy", im.mesh.open(arg[3] .. "/dog.glb"):posed(poses))""",
        path, tmp_path / "poses.npz", tmp_path)
    matrices = np.array([meshes.transform(p[4:], p[:4]) @ np.linalg.inv(meshes.transform(r[:3], r[3:]))
                         for p, r in zip(poses, rest)])
    expected = meshes.skin(positions, weights, matrices)
    np.testing.assert_allclose(np.load(tmp_path / "skn.npy"), expected, atol=2e-6)
    np.testing.assert_allclose(np.load(tmp_path / "glb.npy"), expected, atol=3e-6)
    theirs = trimesh.load(tmp_path / "dog.glb", force="mesh", process=False)
    np.testing.assert_allclose(theirs.vertices, positions, atol=1e-6)
    np.testing.assert_array_equal(theirs.faces, triangles)


@pytest.mark.parametrize("ascii_text", ["true", "false"])
def test_trimesh_reads_what_is_written(tmp_path, ascii_text):
    torus = trimesh.creation.torus(1, 0.3)
    colours = (torus.vertices * 50 + 100).astype(np.uint8)
    np.savez(tmp_path / "torus.npz", positions=torus.vertices, triangles=torus.faces, colours=colours)
    lua("""local arrays = im.io.read_npz(arg[1])
        local mesh = im.mesh.new(arrays)
        mesh:save(arg[2] .. "/t.ply", { ascii = %s })
        mesh:save(arg[2] .. "/t.glb")""" % ascii_text, tmp_path / "torus.npz", tmp_path)
    for name in ("t.ply", "t.glb"):
        theirs = trimesh.load(tmp_path / name, force="mesh", process=False)
        np.testing.assert_allclose(theirs.vertices, torus.vertices, atol=1e-6)
        np.testing.assert_array_equal(theirs.faces, torus.faces)
        np.testing.assert_array_equal(theirs.visual.vertex_colors[:, :3], colours)


def test_broken_and_odd_files_are_read_or_refused(tmp_path):
    if not MODELS.is_dir():
        pytest.skip("assimp-testmodels is not installed")
    files = sorted(str(p) for p in MODELS.rglob("*") if p.is_file())  # formats that are not read are refused as well
    assert len(files) > 500
    out = lua("""for i, path in ipairs(im.io.read_json(arg[1])) do
          local mesh, message, code = im.mesh.open(path)
          local info = mesh and mesh:info()
          assert(mesh or (message:find(path, 1, true) and not message:find "\\n" and code))
          print(mesh and ("%d %d"):format(info.vertices, info.triangles) or code .. " " .. message:sub(#path + 1))
        end""", write_json(tmp_path / "files.json", files))
    lines = dict(zip(files, out.splitlines(), strict=True))
    read = {p: tuple(map(int, line.split())) for p, line in lines.items() if line[0].isdigit()}
    assert len(read) > 40
    for name in ("IndexOutOfRange", "AllIndicesOutOfRange", "RecursiveNodes", "MissingBin", "wrongTypes/badArray", "draco", "invalid/"):
        of_kind = [p for p in files if name in p]
        assert of_kind and all(p not in read for p in of_kind), (name, [lines[p] for p in of_kind])
    compared = 0
    for path, (vertices, triangles) in read.items():
        if not path.endswith((".ply", ".glb")):
            continue
        try:
            theirs = trimesh.load(path, force="mesh", process=False)
        except Exception:  # theirs to refuse
            continue
        if isinstance(theirs, trimesh.Trimesh) and triangles:
            assert len(theirs.faces) == triangles, path
            compared += 1
    assert compared >= 5
