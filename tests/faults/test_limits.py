# SPDX-License-Identifier: Apache-2.0
"""Files that claim more than there is: refused before memory is taken, whatever they claim, and named."""

import json
import os
import resource
import struct
import subprocess
import zlib

import numpy as np
import pytest

from program import PROGRAM, lua, run


def peak_mb(code, *arguments):
    """Runs the code to its end; what it printed, and the peak of its memory in MB."""
    process = subprocess.run([PROGRAM, "--no-cache", "-", *map(str, arguments)], input="local im = require 'imatch'\n" + code + """
      for line in io.lines "/proc/self/status" do if line:match "^VmHWM" then print(line:match "%d+") end end""", text=True,
      capture_output=True, timeout=300, check=True)
    lines = process.stdout.splitlines()
    return lines[:-1], int(lines[-1]) / 1024


def tiff(path, width, height, compression):
    entries = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, compression), (262, 3, 1), (273, 4, 8), (277, 3, 1),
               (278, 4, height), (279, 4, 5)]
    path.write_bytes(struct.pack("<2sHI", b"II", 42, 16) + b"\x80\0\0\0\0\0\0\0" + struct.pack("<H", len(entries))
                     + b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries) + struct.pack("<I", 0))
    return path


@pytest.mark.parametrize("compression", [5, 8, 32773])
def test_a_tiny_tiff_takes_no_memory(tmp_path, compression):
    path = tiff(tmp_path / "bomb.tif", 20000, 19999, compression)
    assert path.stat().st_size < 200
    (said,), mb = peak_mb("print(select(2, im.image.open(arg[1])))", path)
    assert "max_expansion = 30000" in said and mb < 400


def test_a_white_png_is_a_picture(tmp_path):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = zlib.compress((b"\0" + b"\xff" * 6000) * 5000, 9)
    path = tmp_path / "white.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 6000, 5000, 8, 0, 0, 0, 0)) + chunk(b"IDAT", rows)
                     + chunk(b"IEND", b""))
    assert 3 * 6000 * 5000 / path.stat().st_size > 1000  # far more than any photograph
    assert lua("print(im.image.open(arg[1]))", path) == "Image(6000x5000)\n"
    assert lua("print((im.image.open(arg[1], { max_megapixels = 29 })))", path) == "nil\n"


def test_new_pictures_have_a_limit():
    said = lua("print(im.image.new(60000, 60000)) print((im.image.new(300, 200, nil, { max_megapixels = 0.06 })))")
    assert said == ("nil\timage.new: 60000 x 60000 pixels are 3600.0 megapixels, more than max_megapixels = 400\ttoo_large\n"
                    "Image(300x200)\n")


def test_a_manifest_of_too_many_frames_is_refused(tmp_path):
    key = {"datasets": {"d": {"root": "r", "folder_template": "{capture_id}", "filename_template": "{frame}.jpg", "images": {"c": "c"}}},
           "weights": {"s": {"x": {"a": ["dense_sift", "a.pth", "LVD"]}}}}
    group = {"folder": ["c"], "indices": [0, 9_999_999]}
    model = {"weights": ["a"], "target_res": 64, "image_groups": [group, group], "outputs": {"global": {"npy": True}}}
    (tmp_path / "key.json").write_text(json.dumps(key))
    (tmp_path / "manifest.json").write_text(json.dumps({"dataset_key": "d", "weight_set": "s", "models": [model]}))
    said, mb = peak_mb("print(select(2, im.retrieval.manifest(arg[1], arg[2], '/nowhere')))", tmp_path / "manifest.json",
                       tmp_path / "key.json")
    assert said[0].endswith("the manifest has more than 2000000 frames\ttoo_large") and mb < 1500


def test_files_that_become_shorter_are_named(tmp_path):
    np.save(tmp_path / "big.npy", np.ones(4_000_000, np.float32))
    said = lua("""
      local file = arg[1] .. "/a.safetensors"
      assert(im.io.write_safetensors(file, { a = im.io.read_npy(arg[1] .. "/big.npy") }))
      local a = im.io.read_tensor(file, "a")
      print(a:mean())
      assert(os.execute("truncate -s 5000000 " .. file) == 0)
      print(a:mean())
      print(select(3, a:mean())) -- the next one as well
      print(im.tensor.from_table({ 1, 2 }):mean()) -- what has nothing to do with it goes on
    """, tmp_path).splitlines()
    assert said[0] == "1" and said[2:] == ["unreadable", "1.5"]
    assert "a.safetensors: cannot be read: it became shorter" in said[1]


def test_a_cell_whose_file_becomes_shorter_fails_and_says_so(tmp_path):
    np.save(tmp_path / "big.npy", np.ones(4_000_000, np.float32))
    (tmp_path / "sweep.lua").write_text("""local im = require "imatch"
      local r = im.sweep { name = "bus", out = arg[1] .. "/r", axes = { a = { 1, 2, 3 } }, quiet = true, report = false, pictures = 0,
        measure = function(p)
          local file = arg[1] .. "/a" .. p.a .. ".safetensors"
          assert(im.io.write_safetensors(file, { a = im.io.read_npy(arg[1] .. "/big.npy") }))
          local a = im.io.read_tensor(file, "a")
          if p.a ~= 2 then os.execute("truncate -s 1000 " .. file) end
          return { mean = assert(a:mean()) }
        end }
      print(r.num_run, r.num_failed)""")
    assert run("--no-cache", tmp_path / "sweep.lua", tmp_path).stdout == "3\t2\n"
    assert "it became shorter" in next((tmp_path / "r/bus").glob("*/failed.csv")).read_text()


@pytest.mark.skipif(os.environ.get("IMATCH_LARGE_FILES") != "1", reason="IMATCH_LARGE_FILES=1 asks for 10 GB of memory")
def test_compressed_arrays_beyond_4_gib(tmp_path):
    array = np.zeros(2**32 + 1000, np.uint8)
    array[[5, 2**32 - 1, -1]] = 1, 2, 3
    np.savez_compressed(tmp_path / "large.npz", a=array)
    assert lua("local a = assert(im.io.read_npz(arg[1])).a print(a:numel(), a:max())", tmp_path / "large.npz") == "4294968296\t3\n"


def test_maps_that_nobody_uses_are_closed(tmp_path):
    import geotiff
    path = geotiff.write(tmp_path / "map.tif", 16, 16)
    done = subprocess.run([PROGRAM, "--no-cache", "-e", f"""local im = require 'imatch'
      for i = 1, 600 do assert(im.render.map '{path}') end print "all" """], text=True, capture_output=True, timeout=300, check=False,
      preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200)))
    assert done.stdout == "all\n", done.stderr


@pytest.mark.parametrize("where", ["metrics", "claim", "worker", "provenance", "plan", "progress"])
def test_deep_or_wrongly_typed_files_of_a_run_are_damaged_ones(tmp_path, where):
    script = tmp_path / "tiny.lua"
    script.write_text("""local im = require "imatch"
      local r = im.sweep { name = "tiny", out = arg[1], axes = { a = { 1, 2, 3 } }, quiet = true, report = {}, pictures = 0,
        measure = function(p) return { s = p.a, d = { 1 } } end }
      print(r.num_run, r.num_cached)""")
    assert run("--no-cache", script, tmp_path / "r").stdout == "3\t0\n"
    (folder,) = (tmp_path / "r/tiny").iterdir()
    cell = sorted((folder / "cells").glob("*.json"))[0]
    deep = "[" * 200_000 + "]" * 200_000
    if where == "metrics":
        cell.write_text(cell.read_text().replace('"d":[1]', f'"d":{deep}'))
        assert deep in cell.read_text()
    elif where == "claim":
        cell.unlink()
        for text in ('{"worker":5,"machine":[],"pid":"x","start":{}}', f'{{"worker":{deep}}}', "5", "null"):
            cell.with_suffix(".claim").write_text(text)
            assert run("--no-cache", script, tmp_path / "r").stdout == "1\t2\n", text
            cell.unlink()
    elif where == "worker":
        cell.unlink()
        for i, text in enumerate(('{"worker":5,"machine":[],"pid":"x","start":{}}', deep, "[]", '{"started":5}')):
            (folder / f"workers/w{i}.alive").write_text(text)
            (folder / f"workers/w{i}.json").write_text(text)
        assert run("sweep", "status", folder).returncode == 0
    elif where == "progress":
        cell.with_suffix(".progress").write_text(deep)
        cell.unlink()
        assert run("sweep", "status", folder).returncode == 0
    else:
        (folder / f"{where}.json").write_text(deep)
    shown = run("sweep", "show", folder, status=None)
    assert shown.returncode in (0, 1) and "Segmentation" not in shown.stderr, shown.returncode
    if where == "metrics":
        assert "damaged record" in run("sweep", "status", folder).stdout
    if where != "plan":
        assert run("--no-cache", script, tmp_path / "r").stdout in ("1\t2\n", "0\t3\n")


def test_kml_has_no_character_that_xml_has_not(tmp_path):
    import xml.etree.ElementTree as tree
    name = "".join(map(chr, range(1, 32))) + "\ufffe\uffff<&>"
    lua("""im.evaluate.write_kml(arg[1], { { query = arg[2], truth = { latitude_deg = 1, longitude_deg = 2 } } })""", tmp_path / "a.kml", name)
    text = tree.parse(tmp_path / "a.kml").find(".//{*}Placemark/{*}name").text
    assert text.endswith("<&>") and text.count("\ufffd") >= 30
