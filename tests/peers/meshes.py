# SPDX-License-Identifier: Apache-2.0
"""Meshes to test on, and their rules in NumPy: GLB's skins and clips, MuJoCo's skins."""

import importlib.util
import json
import pathlib
import struct

import numpy as np

TYPES = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


def dog_path():
    """The dog of dm_control (Apache-2.0): watertight, 33,900 triangles, up to 11 influences a vertex."""
    found = importlib.util.find_spec("dm_control")
    return pathlib.Path(found.submodule_search_locations[0], "suite/dog_assets/dog_skin.skn") if found else None


def read_skn(path):
    data = path.read_bytes()
    vertices, uvs, faces, bones = struct.unpack_from("<4i", data)
    at = 16
    positions = np.frombuffer(data, "<f4", 3 * vertices, at).reshape(-1, 3)
    at += 12 * vertices + 8 * uvs
    triangles = np.frombuffer(data, "<i4", 3 * faces, at).reshape(-1, 3)
    at += 12 * faces
    weights, rest = np.zeros((vertices, bones)), []
    for bone in range(bones):
        rest.append(np.frombuffer(data, "<f4", 7, at + 40))
        (count,) = struct.unpack_from("<i", data, at + 68)
        ids = np.frombuffer(data, "<i4", count, at + 72)
        weights[ids, bone] = np.frombuffer(data, "<f4", count, at + 72 + 4 * count)
        at += 72 + 8 * count
    assert at == len(data)
    return positions, triangles, weights, np.array(rest, dtype=float)  # rest: x y z, then w x y z


def rotation(wxyz):
    w, x, y, z = np.asarray(wxyz, dtype=float) / np.linalg.norm(wxyz)
    return np.array([[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                     [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                     [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]])


def transform(translation, wxyz, scale=(1, 1, 1)):
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(wxyz) * np.asarray(scale, dtype=float)
    matrix[:3, 3] = translation
    return matrix


def skin(positions, weights, matrices):
    """Sum of weight * matrix * position: weights V x J, matrices J x 4 x 4."""
    blended = np.einsum("vj,jab->vab", weights, matrices)
    return np.einsum("vab,vb->va", blended[:, :3, :3], positions) + blended[:, :3, 3]


class Glb:
    """What glTF 2.0 says of one skinned mesh, written down as directly as it can be."""

    def __init__(self, path):
        data = pathlib.Path(path).read_bytes()
        (size,) = struct.unpack_from("<I", data, 12)
        self.json, self.binary = json.loads(data[20:20 + size]), data[28 + size:]
        primitive = self.json["meshes"][0]["primitives"][0]
        self.positions = self.accessor(primitive["attributes"]["POSITION"])
        count = len(self.positions)
        self.triangles = (self.accessor(primitive["indices"]).reshape(-1, 3) if "indices" in primitive
                          else np.arange(count).reshape(-1, 3))
        skin_json = self.json["skins"][0]
        self.joints = skin_json["joints"]
        self.inverse_bind = self.accessor(skin_json["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
        self.weights = np.zeros((count, len(self.joints)))
        named, shares = (self.accessor(primitive["attributes"][a]) for a in ("JOINTS_0", "WEIGHTS_0"))
        for k in range(4):
            np.add.at(self.weights, (np.arange(count), named[:, k].astype(int)), shares[:, k])
        self.clips = {a["name"]: a for a in self.json["animations"]}

    def accessor(self, index):
        a = self.json["accessors"][index]
        view = self.json["bufferViews"][a["bufferView"]]
        start = view.get("byteOffset", 0) + a.get("byteOffset", 0)
        kind, width = np.dtype(TYPES[a["componentType"]]), WIDTHS[a["type"]]
        stride = view.get("byteStride", kind.itemsize * width)
        rows = np.lib.stride_tricks.as_strided(np.frombuffer(self.binary, np.uint8, offset=start),
                                               (a["count"], kind.itemsize * width), (stride, 1)).copy()
        numbers = rows.view(kind).reshape(a["count"], width).astype(float)
        return numbers[:, 0] if width == 1 else numbers

    def value(self, sampler, time):
        times, values = self.accessor(sampler["input"]), self.accessor(sampler["output"])
        i = int(np.clip(np.searchsorted(times, time, side="right") - 1, 0, len(times) - 1))
        if time <= times[0] or i == len(times) - 1:
            return values[0 if time <= times[0] else -1]
        t = (time - times[i]) / (times[i + 1] - times[i])
        a, b = values[i], values[i + 1]
        if len(a) == 3:
            return (1 - t) * a + t * b
        cosine = a @ b
        b, cosine = (-b, -cosine) if cosine < 0 else (b, cosine)
        angle = np.arccos(min(cosine, 1))
        if angle < 1e-6:
            return a
        return (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)

    def posed(self, clip, time):
        local = []
        for node in self.json["nodes"]:
            assert "matrix" not in node
            local.append({"translation": node.get("translation", [0, 0, 0]), "rotation": node.get("rotation", [0, 0, 0, 1]),
                          "scale": node.get("scale", [1, 1, 1])})
        for channel in self.clips[clip]["channels"]:
            target = channel["target"]
            local[target["node"]][target["path"]] = self.value(self.clips[clip]["samplers"][channel["sampler"]], time)
        parents = {child: i for i, node in enumerate(self.json["nodes"]) for child in node.get("children", [])}

        def world(i):
            x, y, z, w = local[i]["rotation"]
            matrix = transform(local[i]["translation"], (w, x, y, z), local[i]["scale"])
            return world(parents[i]) @ matrix if i in parents else matrix

        return skin(self.positions, self.weights, np.array([world(j) @ b for j, b in zip(self.joints, self.inverse_bind)]))
