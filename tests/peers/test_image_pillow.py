# SPDX-License-Identifier: Apache-2.0
"""Decoding, resizing and metadata against Pillow."""

import re

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from pictures import photographs
from program import lua

FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "area": Image.BOX}


def opened(path, tmp_path):
    """Pixels of the file as the program decodes it."""
    lua(f"assert(im.image.open '{path}'):save '{tmp_path}/opened.png'")
    return np.asarray(Image.open(tmp_path / "opened.png"))


def noise(shape, seed=1, high=256):
    return np.random.default_rng(seed).integers(0, high, shape).astype(np.uint16 if high > 256 else np.uint8)


def smooth(height, width):
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(0.11 * x + 0.5), np.sin(0.07 * y + 0.02 * x), np.cos(0.05 * (x - y))]
    return (127.5 + 120 * np.stack(waves, -1)).astype(np.uint8)


@pytest.mark.parametrize("filter_name", FILTERS)
def test_resize_equals_pillow_bit_for_bit(filter_name, tmp_path):
    sources = {"noise": noise((97, 131, 3)), "smooth": smooth(300, 400), "edges": noise((60, 80, 3), 2, 2) * 255}
    sizes = [(224, 224), (33, 17), (131, 40), (260, 97), (1, 1), (300, 500), (7, 300), (125, 30), (120, 20), (60, 59)]
    code = ""
    for name, pixels in sources.items():
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
        code += f"do local a = assert(im.image.open '{tmp_path}/{name}.png')\n"
        for w, h in sizes:
            code += (
                f"a:resize {{ mode = 'exact', width = {w}, height = {h}, filter = '{filter_name}' }}"
                f":save '{tmp_path}/{name}-{w}x{h}.png'\n"
            )
        code += "end\n"
    lua(code)
    for name, pixels in sources.items():
        for size in sizes:
            ours = np.asarray(Image.open(tmp_path / f"{name}-{size[0]}x{size[1]}.png"))
            peer = np.asarray(Image.fromarray(pixels).resize(size, FILTERS[filter_name]))
            assert np.array_equal(ours, peer), (name, size, np.abs(ours.astype(int) - peer).max())


def pictures():
    rgb = smooth(45, 61)
    grey = rgb[..., 0]
    yield "rgb.png", Image.fromarray(rgb), {}
    yield "grey.png", Image.fromarray(grey), {}
    yield "grey_alpha.png", Image.fromarray(np.stack([grey, grey // 2], -1), "LA"), {}
    yield "rgba.png", Image.fromarray(np.dstack([rgb, grey])), {}
    yield "palette.png", Image.fromarray(rgb).quantize(200), {}
    yield "palette16.png", Image.fromarray(rgb).quantize(13), {}
    yield "bilevel.png", Image.fromarray(grey).convert("1"), {}
    yield "palette.bmp", Image.fromarray(rgb).quantize(200), {}
    yield "bilevel.bmp", Image.fromarray(grey).convert("1"), {}
    yield "grey.bmp", Image.fromarray(grey), {}
    yield "rgb.bmp", Image.fromarray(rgb), {}
    yield "rgb.jpg", Image.fromarray(rgb), {"quality": 92}
    yield "grey.jpg", Image.fromarray(grey), {"quality": 92}
    yield "444.jpg", Image.fromarray(rgb), {"quality": 92, "subsampling": 0}
    yield "progressive.jpg", Image.fromarray(rgb), {"quality": 80, "progressive": True}
    yield "cmyk.jpg", Image.fromarray(rgb).convert("CMYK"), {"quality": 95}
    yield "rgb.webp", Image.fromarray(rgb), {"lossless": True}
    yield "lossy.webp", Image.fromarray(rgb), {"quality": 80}
    yield "rgba.webp", Image.fromarray(np.dstack([rgb, np.full_like(grey, 255)])), {"lossless": True}
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
        yield f"{compression}.tif", Image.fromarray(rgb), {"compression": compression}
    yield "jpeg.tif", Image.fromarray(rgb), {"compression": "jpeg", "quality": 95}
    yield "grey.tif", Image.fromarray(grey), {}
    yield "palette.tif", Image.fromarray(rgb).quantize(200), {}
    yield "bilevel.tif", Image.fromarray(grey).convert("1"), {}
    yield "group4.tif", Image.fromarray(grey).convert("1"), {"compression": "group4"}


@pytest.mark.parametrize("name,picture,options", list(pictures()), ids=[p[0] for p in pictures()])
def test_decoding_equals_pillow(name, picture, options, tmp_path):
    picture.save(tmp_path / name, **options)
    peer = np.asarray(Image.open(tmp_path / name).convert("RGB")).astype(int)
    ours = opened(tmp_path / name, tmp_path).astype(int)
    assert ours.shape == peer.shape
    # CMYK and YUV have more than one rounding; of TIFF's 16-bit palettes Pillow writes v * 256, GDAL reads v * 257.
    inexact = name in ("cmyk.jpg", "lossy.webp", "palette.tif")
    assert np.abs(ours - peer).max() <= (1 if inexact else 0)


@pytest.mark.parametrize("name", ["deep.png", "deep.tif"])
def test_sixteen_bits_become_the_nearest_eight(name, tmp_path):
    deep = noise((20, 30, 3), 3, 65536)
    if name.endswith("png"):
        cv2 = pytest.importorskip("cv2")
        cv2.imwrite(str(tmp_path / name), deep[..., ::-1])
    else:
        pytest.importorskip("tifffile").imwrite(tmp_path / name, deep, photometric="rgb")
    assert np.abs(opened(tmp_path / name, tmp_path) - deep / 257.0).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("extension", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_and_exif_of_every_container(extension, orientation, tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Maker"
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef] = "S"
    gps[ExifTags.GPS.GPSLatitude] = (12.0, 30.0, 36.0)
    path = tmp_path / f"a.{extension}"
    lossless = {"lossless": True} if extension == "webp" else {}
    Image.fromarray(smooth(24, 40)).save(path, exif=exif, **lossless)
    peer = Image.open(path)
    # Pillow turns what it knows the orientation of; libtiff's is applied by the same call.
    expected = np.asarray(ImageOps.exif_transpose(peer).convert("RGB"))
    said = lua(
        f"assert(im.image.open '{path}'):save '{tmp_path}/opened.png'\n"
        f"print(im.image.size '{path}')\n"
        f"print(('%.12f'):format(im.image.metadata('{path}').latitude_deg or 0))"
    ).split()
    assert np.array_equal(np.asarray(Image.open(tmp_path / "opened.png")), expected)
    assert [int(n) for n in said[:2]] == [expected.shape[1], expected.shape[0]]
    if extension != "tif":  # Pillow writes no GPS directory there
        assert float(said[2]) == pytest.approx(-12.51, abs=1e-9)


def pillow_metadata(path):
    picture = Image.open(path)
    exif = picture.getexif()
    gps, lens = exif.get_ifd(ExifTags.IFD.GPSInfo), exif.get_ifd(ExifTags.IFD.Exif)
    tags = ExifTags.GPS

    def angle(value, ref, negative):
        if value is None:
            return None
        degrees = float(value[0]) + float(value[1]) / 60 + float(value[2]) / 3600
        return -degrees if ref == negative else degrees

    def number(value):
        return None if value is None else float(value)

    altitude = number(gps.get(tags.GPSAltitude))
    if altitude is not None and gps.get(tags.GPSAltitudeRef) in (1, b"\x01"):
        altitude = -altitude
    result = {
        "latitude_deg": angle(gps.get(tags.GPSLatitude), gps.get(tags.GPSLatitudeRef), "S"),
        "longitude_deg": angle(gps.get(tags.GPSLongitude), gps.get(tags.GPSLongitudeRef), "W"),
        "altitude_m": altitude,
        "gps_track_deg": number(gps.get(tags.GPSTrack)),
        "gps_image_direction_deg": number(gps.get(tags.GPSImgDirection)),
        "focal_length_mm": number(lens.get(ExifTags.Base.FocalLength)),
        "focal_length_35mm_mm": number(lens.get(ExifTags.Base.FocalLengthIn35mmFilm)) or None,
        "orientation": exif.get(ExifTags.Base.Orientation, 1),
        "make": (exif.get(ExifTags.Base.Make) or "").strip("\0 ") or None,
        "model": (exif.get(ExifTags.Base.Model) or "").strip("\0 ") or None,
        "date_time_original": lens.get(ExifTags.Base.DateTimeOriginal),
    }
    xmp = picture.info.get("xmp", b"").decode("utf-8", "replace")
    for field, name in {
        "relative_altitude_m": "RelativeAltitude",
        "absolute_altitude_m": "AbsoluteAltitude",
        "gimbal_yaw_deg": "GimbalYawDegree",
        "gimbal_pitch_deg": "GimbalPitchDegree",
        "flight_yaw_deg": "FlightYawDegree",
    }.items():
        found = re.search(rf':{name}(?:="|>)\s*([-+0-9.]+)', xmp)
        result[field] = float(found.group(1)) if found else None
    return result


@pytest.mark.parametrize("folder", ["brighton_beach", "seneca"])
def test_metadata_of_real_photos_equals_pillow(data, folder):
    paths = photographs(data / folder)
    code = "local fields = im.doc.entries()['image.metadata'].options\n"
    for path in paths:
        code += f"do local m = assert(im.image.metadata '{path}')\n"
        code += "for _, f in ipairs(fields) do local v = m[f.name]; if v ~= nil then "
        code += "print(f.name, type(v) == 'number' and ('%.15g'):format(v) or v) end end print '--' end\n"
    blocks = lua(code).split("--\n")
    assert len(blocks) == len(paths) + 1
    for path, block in zip(paths, blocks):
        ours = dict(line.split("\t", 1) for line in block.splitlines())
        for name, value in pillow_metadata(path).items():
            if value is None:
                assert name not in ours, (path.name, name)
            elif isinstance(value, str):
                assert ours[name] == value.strip("\0 ")
            else:
                assert float(ours[name]) == pytest.approx(value, rel=1e-12, abs=1e-12), (path.name, name)


def test_pixels_of_real_photos_equal_pillow(data, tmp_path):
    for path in [*photographs(data / "brighton_beach")[:2], *photographs(data / "seneca")[:2]]:
        peer = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB")).astype(int)
        assert np.abs(opened(path, tmp_path).astype(int) - peer).max() <= 1
