# SPDX-License-Identifier: Apache-2.0
"""A directory of odd pictures against the pixels that were put into them, and against Pillow where it reads them; and the odd
files of public bug reports against the true pictures beside them."""

import io
import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps

import odd_pictures
from program import lua

SMOOTH = (127 + 100 * np.sin(np.mgrid[:40, :56].sum(0)[..., None] / [9.0, 13.0, 17.0])).astype(np.uint8)

# Which of the made pictures Pillow refuses or shows with other values, and why.
PILLOW_DIFFERS = {
    "bmp24_header16": "a header it does not know", "bmp16_": "5 bits times 255 / 31, cut off; masks it does not know",
    "bmp32_(xrgb|rgbx)": "masks it does not know", "png_(rgb|rgba|grey_alpha)16": "the low byte cut off", "png_grey16": "clipped at 255",
    r"tif_(grey|white_is_zero)(3|6|10|12|14|16)[._]": "bits that it refuses; 12 and 16 are clipped at 255",
    "tif_rgb(4|12)": "bits that it refuses", "tif_rgb16": "the low byte cut off, planes mixed up", "tif_cmyk16": "the low byte cut off",
    "tif_(lab16|icclab)": "refused", "tif_palette._times1[.]": "taken for 16 bits",
}

# Likewise libvips 8.14, which reads most of what Pillow does not.
VIPS_DIFFERS = {
    "bmp24_header16": "a header it does not know", "bmp[148]_header64": "the palette of OS/2 2 misplaced",
    "bmp16_": "bits cut off or shifted", "tif_cmyk": "inks seen through a press's profile",
    "tif_(lab8|icclab)": "Lab of 8 bits rounded on the way, ICC's encoding not known",
    r"tif_(grey|white_is_zero|rgb)(3|6|10|12|14)[._]": "bits that it refuses", "tif_rgb4": "bits that it refuses",
    "tif_rgb(8|16)_planar_tiled": "refused",
}


def opened(paths, tmp_path):
    """The pixels of each file as the program decodes it, or its message."""
    listed = tmp_path / "paths.txt"
    listed.write_text("\n".join(map(str, paths)))
    lua(f"""
local i = 0
for path in io.lines '{listed}' do
  i = i + 1
  local image, message = im.image.open(path)
  if image then image:save('{tmp_path}/' .. i .. '.png') else im.file.write('{tmp_path}/' .. i .. '.txt', message) end
end""")
    results = {}
    for i, path in enumerate(paths, 1):
        picture = tmp_path / f"{i}.png"
        results[path.name] = np.asarray(Image.open(picture)).astype(int) if picture.exists() else (tmp_path / f"{i}.txt").read_text()
    return results


def written(tmp_path, pictures):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, data in pictures.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in pictures]


def encoded(format_, mode="RGB", **options):
    out = io.BytesIO()
    Image.fromarray(SMOOTH).convert(mode).save(out, format_, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["bmps", "pngs", "tiffs"])
def test_made_pictures_have_the_pixels_put_into_them(kind, tmp_path):
    made = {name: (data, true) for name, data, true in getattr(odd_pictures, kind)()}
    paths = written(tmp_path, {name: data for name, (data, _) in made.items()})
    results = opened(paths, tmp_path)
    wrong, compared = [], 0
    for path in paths:
        ours, true = results[path.name], np.asarray(made[path.name][1]).astype(int)
        allowed = 4 if "lab" in path.name else 0  # Little CMS looks it up in a coarse grid
        if isinstance(ours, str):
            wrong.append(ours)
        elif ours.shape != true.shape or np.abs(ours - true).max() > allowed:
            wrong.append((path.name, np.abs(ours - true).max() if ours.shape == true.shape else ours.shape))
        if any(re.match(name, path.name) for name in PILLOW_DIFFERS):
            continue
        with Image.open(path) as peer:
            compared += 1
            if np.abs(np.asarray(peer.convert("RGB")).astype(int) - true).max() > allowed:
                wrong.append((path.name, "Pillow has other pixels"))
    assert wrong == []
    assert compared >= 18


@pytest.mark.skipif(shutil.which("vips") is None, reason="libvips-tools is not installed")
@pytest.mark.parametrize("kind, least", [("bmps", 20), ("pngs", 30), ("tiffs", 25)])
def test_libvips_sees_the_same(kind, least, tmp_path):
    made = {name: data for name, data, _ in getattr(odd_pictures, kind)()
            if not any(re.match(differs, name) for differs in VIPS_DIFFERS)}
    assert len(made) >= least
    paths = written(tmp_path, made)
    results = opened(paths, tmp_path)
    for path in paths:
        peer = tmp_path / f"{path.name}.vips.png"
        subprocess.run(["vips", "colourspace", path, peer, "srgb"], check=True)
        true = np.asarray(Image.open(peer).convert("RGB")).astype(int)
        cut = 2 if "lab" in path.name else 1 if "16" in path.name else 0  # the low byte cut off, where ours rounds
        assert np.abs(results[path.name] - true).max() <= cut, path.name


def test_jpegs_without_an_end_or_with_something_behind_it(tmp_path, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # without which Pillow refuses some that are whole
    plain, progressive = encoded("JPEG", quality=90), encoded("JPEG", quality=90, progressive=True)
    restarts = encoded("JPEG", quality=90, restart_marker_blocks=2)
    good = {
        "no_end.jpg": plain[:-2], "half_an_end.jpg": plain[:-1], "zeros.jpg": plain[:-2] + bytes(3000), "trailer.jpg": plain + b"more" * 99,
        "no_end_trailer.jpg": plain[:-2] + b"text " * 700, "two.jpg": plain + progressive, "progressive_no_end.jpg": progressive[:-2],
        "restarts_no_end.jpg": restarts[:-2], "grey_no_end.jpg": encoded("JPEG", "L")[:-2], "cmyk.jpg": encoded("JPEG", "CMYK", quality=95),
        "subsampled.jpg": encoded("JPEG", subsampling="4:1:1"), "luma422.jpg": encoded("JPEG", subsampling=1),
    }
    scans = [i for i in range(len(progressive) - 1) if progressive[i : i + 2] == b"\xff\xda"]
    zeroed = bytearray(plain)
    zeroed[len(plain) // 2 :] = bytes(len(plain) - len(plain) // 2)
    damaged = {
        "half.jpg": plain[: len(plain) // 2], "some_scans.jpg": progressive[: scans[3]], "half_zeroed.jpg": bytes(zeroed),
        "half_with_end.jpg": plain[: len(plain) // 2] + b"\xff\xd9", "first_scan_cut.jpg": progressive[: scans[0] + 30],
    }
    paths = written(tmp_path, {**good, **damaged})
    results = opened(paths, tmp_path)
    for path in paths:
        ours = results[path.name]
        if path.name in damaged:
            assert isinstance(ours, str) and "truncated" in ours, (path.name, ours)
        else:
            peer = np.asarray(Image.open(path).convert("RGB")).astype(int)
            assert not isinstance(ours, str), ours
            assert np.abs(ours - peer).max() <= (1 if path.name == "cmyk.jpg" else 0), path.name


def test_the_first_picture_of_animations(tmp_path):
    frames = [Image.fromarray(np.roll(SMOOTH, 9 * i, axis=1)) for i in range(3)]
    for name, options in {"a.webp": {"lossless": True}, "a.png": {}}.items():
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=50, **options)
    for ours in opened([tmp_path / "a.webp", tmp_path / "a.png"], tmp_path).values():
        assert np.array_equal(ours, SMOOTH)


def test_damaged_files_are_refused(tmp_path):
    grey = odd_pictures.pixels(channels=1)
    runs = odd_pictures.rle8(odd_pictures.pixels(channels=1, bits=4)[..., 0])
    def bmp(rows):
        return odd_pictures.bmp(40, 8, rows, compression=1, colours=16)
    tif, cut = odd_pictures.tiff(grey, 8, 1), odd_pictures.tiff(grey, 8, 1, deflate=True)
    beyond = bytearray(tif)
    at = tif.rindex((8 + 18 * 5 - 4).to_bytes(4, "little"))  # where the second strip begins
    beyond[at : at + 4] = (1 << 24).to_bytes(4, "little")
    damaged = {
        "run_leaves.bmp": bmp(b"\x64\1" + runs), "no_end.bmp": bmp(runs[: len(runs) // 2]), "delta_leaves.bmp": bmp(b"\0\2\xff\xff" + runs),
        "compression.png": odd_pictures.png(grey, 8, 0, compression=7), "cut.png": odd_pictures.png(grey, 8, 0)[:-40],
        "bits.bmp": odd_pictures.bmp(40, 7, bytes(99)), "strip_beyond.tif": bytes(beyond),
        "broken_deflate.tif": cut[:12] + b"\xff" * 40 + cut[52:],
        "webp.webp": encoded("WEBP", lossless=True)[:-200],
    }
    results = opened(written(tmp_path, damaged), tmp_path)
    for name, message in results.items():
        assert isinstance(message, str), name
        assert name in message and message.count("\n") == 0, message


def test_orientation_in_profiles_and_xmp(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    block = exif.tobytes()
    digits = "\nexif\n%8d\n%s\n" % (len(block), block.hex())
    rgb = odd_pictures.pixels()
    packet = (b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
              b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="%d"/></rdf:RDF></x:xmpmeta>')
    import zlib

    text = {
        "text.png": odd_pictures.chunk(b"tEXt", b"Raw profile type exif\0" + digits.encode()),
        "packed.png": odd_pictures.chunk(b"zTXt", b"Raw profile type APP1\0\0" + zlib.compress(digits.encode())),
        "xmp.png": odd_pictures.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet % 6),
        "xmp_packed.png": odd_pictures.chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(packet % 6)),
    }
    paths = written(tmp_path, {name: odd_pictures.png(rgb, 8, 2, extra=extra) for name, extra in text.items()})
    Image.fromarray(SMOOTH).save(tmp_path / "xmp.jpg", quality=95, xmp=packet % 8)
    Image.fromarray(SMOOTH).save(tmp_path / "xmp.webp", lossless=True, xmp=packet % 3)
    paths += [tmp_path / "xmp.jpg", tmp_path / "xmp.webp"]
    results = opened(paths, tmp_path)
    for path in paths:
        if path.name != "xmp_packed.png" and path.name != "packed.png":  # which Pillow does not look into
            peer = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
        else:
            peer = np.rot90(rgb, 3)
        assert np.array_equal(results[path.name], peer), path.name
        said = lua(f"print(im.image.size '{path}'); print(im.image.metadata('{path}').orientation)").split()
        assert [int(s) for s in said[:2]] == [peer.shape[1], peer.shape[0]] and said[2] in "638"


def test_the_odd_files_of_bug_reports(data, tmp_path):
    folder = data / "odd_inputs"
    true = {name: np.asarray(Image.open(folder / f"true_picture_of_the_{name}_files.png").convert("RGB")) for name in ("cmyk_and_bmp", "grey")}
    expected = {path.name: true["cmyk_and_bmp"] for path in folder.glob("bmp_*bit.bmp")}
    palette = np.asarray(Image.open(folder / "bmp_header_info40_palette_same_picture.bmp").convert("RGB"))
    expected.update({path.name: palette for path in folder.glob("bmp_*palette*.bmp")})
    expected.update({path.name: true["grey"] for path in folder.glob("tif_grey*.tif")})
    expected["png_exif_as_imagemagick_text_orientation6.png"] = np.rot90(true["cmyk_and_bmp"], 3)
    for name in ("animated.webp", "jpg_no_eoi_but_trailer.jpg", "jpg_no_eoi_zero_padding.jpg"):
        expected[name] = np.asarray(Image.open(folder / name).convert("RGB"))
    results = opened([folder / name for name in expected], tmp_path)
    assert len(expected) >= 12
    for name, peer in expected.items():
        assert not isinstance(results[name], str), results[name]
        assert results[name].shape == peer.shape and np.abs(results[name] - peer).max() <= (1 if name == "animated.webp" else 0), name
