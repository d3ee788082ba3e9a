# SPDX-License-Identifier: Apache-2.0
"""Files of PyTorch, safetensors and NumPy, bit for bit in both directions."""

import collections
import csv
import json
import os
import pickle
import shutil
import zipfile

import numpy
import pytest
import safetensors.numpy
import safetensors.torch
import torch

from program import lua

FORMATS = ["zip", "legacy", "zip_protocol5"]


def save(tree, path, kind):
    if kind == "legacy":
        torch.save(tree, path, _use_new_zipfile_serialization=False)
    else:
        torch.save(tree, path, pickle_protocol=5 if kind.endswith("5") else 2)


def convert(source, target):
    """Every tensor of a weights file as a safetensors file, which PyTorch reads back."""
    lua(
        """local source, target = ...
        local tensors = {}
        for _, entry in ipairs(assert(im.io.read_state_dict(source))) do
          tensors[entry.name] = assert(im.io.read_tensor(source, entry.name))
        end
        assert(im.io.write_safetensors(target, tensors))""",
        source, target,
    )
    return safetensors.torch.load_file(target)


def assert_same(expected, actual):
    assert set(expected) == set(actual)
    for name, tensor in expected.items():
        tensor = tensor.detach().contiguous()
        assert actual[name].dtype == tensor.dtype and actual[name].shape == tensor.shape, name
        if tensor.numel():
            assert torch.equal(actual[name].reshape(-1).view(torch.uint8), tensor.reshape(-1).view(torch.uint8)), name


def awkward_tensors():
    generator = torch.Generator().manual_seed(1)
    base = torch.randn(6, 10, 4, generator=generator)
    dtypes = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
              torch.uint8, torch.bool]
    tensors = {f"dtype.{d}".replace("torch.", ""): (base * 50).to(d) for d in dtypes}
    tensors |= {
        "base": base, "permuted": base.permute(2, 0, 1), "strided": base[::2, 1::3], "row": base[3, 2], "scalar": base[0, 0, 0],
        "expanded": base[:1, :1].expand(3, 5, 4), "empty": base[:0], "special": torch.tensor([float("nan"), float("inf"), -0.0]),
        "channels_last": torch.randn(2, 3, 5, 7, generator=generator).to(memory_format=torch.channels_last),
        "gradient": torch.nn.Parameter(base[1].clone()),
    }
    return tensors


@pytest.mark.parametrize("kind", FORMATS)
def test_tensors_of_torch_save(tmp_path, kind):
    tensors = awkward_tensors()
    save(tensors, tmp_path / "w.pth", kind)
    assert_same(tensors, convert(tmp_path / "w.pth", tmp_path / "w.safetensors"))


@pytest.mark.parametrize("kind", FORMATS)
def test_nested_training_checkpoint(tmp_path, kind):
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.Conv2d(8, 4, 1))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.randn(2, 3, 9, 9)).sum().backward()
    optimizer.step()
    checkpoint = {"teacher": model.state_dict(), "optim_state": optimizer.state_dict(), "step": 5, "name": "é", "rng": torch.get_rng_state()}
    save(checkpoint, tmp_path / "w.pth", kind)
    expected = {"teacher." + name: tensor for name, tensor in model.state_dict().items()} | {"rng": checkpoint["rng"]}
    for i, state in optimizer.state_dict()["state"].items():
        expected |= {f"optim_state.state.{i}.{name}": tensor for name, tensor in state.items()}
    assert_same(expected, convert(tmp_path / "w.pth", tmp_path / "w.safetensors"))


def test_state_dict_keeps_the_order_of_the_file(tmp_path):
    state = collections.OrderedDict((f"layer{i}.weight", torch.zeros(i, 2)) for i in (3, 1, 2))
    torch.save(state, tmp_path / "w.pth")
    names = lua("for _, e in ipairs(im.io.read_state_dict(...)) do print(e.name, e.dtype, #e.shape, e.shape[1]) end", tmp_path / "w.pth")
    assert names == "layer3.weight\tfloat32\t2\t3\nlayer1.weight\tfloat32\t2\t1\nlayer2.weight\tfloat32\t2\t2\n"


class Evil:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("function, name", [(os.system, "posix.system"), (eval, "__builtin__.eval"), (shutil.rmtree, "shutil.rmtree"),
                                            (getattr, "__builtin__.getattr"), (torch.load, "torch.serialization.load")])
def test_malicious_pickles_are_refused_by_name(tmp_path, kind, function, name):
    marker = tmp_path / "was_run"
    save({"w": torch.zeros(2), "x": Evil(function, f"touch {marker}")}, tmp_path / "w.pth", kind)
    if kind == "zip_protocol5":
        name = name.replace("__builtin__", "builtins")
    printed = lua("print(im.io.read_state_dict(...))", tmp_path / "w.pth")
    value, message, code = printed.strip().split("\t")
    assert (value, code) == ("nil", "bad_format")
    assert f"names '{name}'" in message
    assert not marker.exists()


def test_objects_beside_the_tensors_are_stepped_over_and_modules_refused_by_name(tmp_path):
    torch.save({"scalar": numpy.float64(1.5), "array": numpy.arange(3), "w": torch.zeros(2)}, tmp_path / "n.pth")
    assert lua("for _, t in ipairs((im.io.read_state_dict(...))) do print(t.name) end", tmp_path / "n.pth").split() == ["w"]
    torch.save(torch.nn.Linear(1, 1), tmp_path / "m.pth")
    assert "names 'torch.nn.modules.linear.Linear'" in lua("print(im.io.read_state_dict(...))", tmp_path / "m.pth")


def test_torchscript_archives_say_what_they_are(tmp_path):
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)), tmp_path / "m.pt")
    assert "TorchScript" in lua("print(im.io.read_state_dict(...))", tmp_path / "m.pt")


def test_compressed_archives_say_what_they_are(tmp_path):
    torch.save({"w": torch.zeros(1000)}, tmp_path / "w.pth")
    with zipfile.ZipFile(tmp_path / "w.pth") as stored, zipfile.ZipFile(tmp_path / "c.pth", "w", zipfile.ZIP_DEFLATED) as packed:
        for name in stored.namelist():
            packed.writestr(name, stored.read(name))
    assert "is compressed; torch.save stores its entries" in lua("print(im.io.read_state_dict(...))", tmp_path / "c.pth")


def test_a_file_beyond_4_gib_opens_by_zip64(tmp_path):
    path = tmp_path / "large.pth"
    size = 2**32 + 4096
    # Written without its data: holes in the file read as zeros and take no space on the disk.
    torch.save({"w": torch.arange(5.0)}, path)
    with zipfile.ZipFile(tmp_path / "hole.pth", "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        with zipfile.ZipFile(path) as small:
            pickled = small.read("large/data.pkl")
        old, new = pickle.dumps(5, 2)[2:-1], b"\x8a\x05" + size.to_bytes(5, "little")
        at = pickled.index(b"cpu") + 3
        at = pickled.index(old, at)
        patched = pickled[:at] + new + pickled[at + len(old):]
        patched = patched.replace(b"FloatStorage", b"ByteStorage")
        archive.writestr("x/data.pkl", patched)
        archive.writestr("x/byteorder", "little")
        info = zipfile.ZipInfo("x/data/0")
        with archive.open(info, "w", force_zip64=True) as entry:
            header_end = archive.fp.tell()
            entry._file_size = entry._compress_size = size
            archive.fp.seek(header_end + size - 1)
            archive.fp.write(b"\0")
        archive.writestr("x/last", "after the large entry")
    printed = lua("local l = assert(im.io.read_state_dict(...)) print(l[1].name, l[1].dtype, l[1].shape[1])", tmp_path / "hole.pth")
    assert printed == "w\tuint8\t5\n"


def test_safetensors_both_ways(tmp_path):
    tensors = {name: tensor.detach().clone().contiguous() for name, tensor in awkward_tensors().items()}
    safetensors.torch.save_file(tensors, tmp_path / "a.safetensors", metadata={"format": "pt"})
    assert_same(tensors, convert(tmp_path / "a.safetensors", tmp_path / "b.safetensors"))


NUMPY_DTYPES = ["f4", "f8", "f2", "i1", "i2", "i4", "i8", "u1", "?"]


@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 5), (0, 4), (2, 3, 4), (1, 1, 1, 1, 2)])
def test_npy_both_ways(tmp_path, shape):
    rng = numpy.random.default_rng(3)
    for i, dtype in enumerate(NUMPY_DTYPES):
        for order in "CF":
            array = numpy.asarray((rng.standard_normal(shape) * 60).astype(dtype), order=order)
            numpy.save(tmp_path / f"{i}{order}.npy", array)
    lua(
        """local folder, count = ...
        for i = 0, count - 1 do
          for _, order in ipairs { "C", "F" } do
            local base = folder .. "/" .. i .. order
            assert(im.io.write_npy(base .. "_back.npy", assert(im.io.read_npy(base .. ".npy"))))
          end
        end""",
        tmp_path, len(NUMPY_DTYPES),
    )
    for i in range(len(NUMPY_DTYPES)):
        for order in "CF":
            original, back = numpy.load(tmp_path / f"{i}{order}.npy"), numpy.load(tmp_path / f"{i}{order}_back.npy")
            assert back.dtype == original.dtype and back.shape == original.shape and back.flags.c_contiguous
            assert back.tobytes() == original.tobytes()
        # What NumPy writes in C order comes back to the byte, header and all.
        assert (tmp_path / f"{i}C_back.npy").read_bytes() == (tmp_path / f"{i}C.npy").read_bytes()


@pytest.mark.parametrize("dtype", [">f4", "O", "U3", "c8", [("a", "f4")]])
def test_npy_of_other_dtypes_is_refused(tmp_path, dtype):
    numpy.save(tmp_path / "a.npy", numpy.zeros(2, dtype=dtype), allow_pickle=True)
    assert lua("print(im.io.read_npy(...))", tmp_path / "a.npy").strip().endswith("bad_format")


@pytest.mark.parametrize("save_arrays", [numpy.savez, numpy.savez_compressed])
def test_npz_both_ways(tmp_path, save_arrays):
    rng = numpy.random.default_rng(4)
    arrays = {"values": rng.standard_normal((500, 7)).astype("f4"), "indices": rng.integers(0, 255, (500, 3), "u1"),
              "shape": numpy.array([160, 160, 4, 7]), "empty": numpy.zeros((0, 3))}
    save_arrays(tmp_path / "a.npz", **arrays)
    lua("local a, b = ... assert(im.io.write_npz(b, assert(im.io.read_npz(a))))", tmp_path / "a.npz", tmp_path / "b.npz")
    with numpy.load(tmp_path / "b.npz") as back:
        assert set(back.files) == set(arrays)
        for name, array in arrays.items():
            assert back[name].dtype == array.dtype and numpy.array_equal(back[name], array)


def test_csv_both_ways(tmp_path):

    rows = [["a", "b, c", 'd "e"'], ["1", "x\ny", ""], ["", ' "', "é;,"], ["'", "\t", "z\r\nz"]]
    with open(tmp_path / "a.csv", "w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file).writerows(rows)
    lua("local a, b = ... local rows, columns = im.io.read_csv(a) assert(im.io.write_csv(b, rows, columns))", tmp_path / "a.csv", tmp_path / "b.csv")
    with open(tmp_path / "b.csv", newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == rows


def test_json_both_ways(tmp_path):
    value = {"a": [1, 2.5, 1e300, -0.1, True], "é\n": {"x": "\U0001f600"}, "large": 2**53}
    (tmp_path / "a.json").write_text("\ufeff" + json.dumps(value), encoding="utf-8")
    lua("local a, b = ... assert(im.io.write_json(b, assert(im.io.read_json(a))))", tmp_path / "a.json", tmp_path / "b.json")
    assert json.loads((tmp_path / "b.json").read_text(encoding="utf-8")) == value


