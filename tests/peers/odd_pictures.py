# SPDX-License-Identifier: Apache-2.0
"""Pictures as hardly any program writes them, made byte by byte, with the pixels that they hold."""

import struct
import zlib

import numpy as np


def pixels(height=12, width=17, channels=3, bits=8, seed=5):
    return np.random.default_rng(seed).integers(0, 1 << bits, (height, width, channels)).astype(np.uint32)


def nearest_8(values, bits):
    most = (1 << bits) - 1
    return ((np.asarray(values, np.int64) * 255 + most // 2) // most).astype(np.uint8)


def packed(row, bits):
    """Values of any width one behind the other, the first in the highest bits."""
    if bits == 16:
        return np.asarray(row, "<u2").tobytes()
    digits = "".join(format(int(v), f"0{bits}b") for v in row)
    digits += "0" * (-len(digits) % 8)
    return bytes(int(digits[i : i + 8], 2) for i in range(0, len(digits), 8))


# ---- BMP

PALETTE = [(i * 37 % 256, i * 91 % 256, 255 - i) for i in range(256)]


def bmp(header, bits, rows, *, compression=0, masks=(), size=(17, 12), top_down=False, colours=None):
    """`rows`: the stored bytes of all rows. `colours`: entries of the palette."""
    width, height = size
    entries = [] if colours is None else PALETTE[:colours]
    palette = b"".join(bytes([b, g, r]) + (b"" if header == 12 else b"\0") for r, g, b in entries)
    if header == 12:
        body = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        body = struct.pack("<IiiHHIIiiII", header, width, -height if top_down else height, 1, bits, compression, len(rows),
                           2835, 2835, len(entries), 0)
        body = body[:header] if header < 40 else body + b"".join(struct.pack("<I", m) for m in masks)
        body = body.ljust(header, b"\0")
    start = 14 + len(body) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + body + palette + rows


def stored(lines):
    return b"".join(line + b"\0" * (-len(line) % 4) for line in lines)


def rle8(indices):
    """Runs, absolute pieces and a skipped rest of a row; what is skipped has colour 0."""
    out = b""
    for row in indices[::-1]:
        row = list(row)
        out += bytes([3, row[0]]) + bytes([0, 5]) + bytes(row[3:8]) + b"\0"
        for value in row[8:]:
            out += bytes([1, value])
        out += b"\0\0"
    return out + b"\0\1"


def bmps():
    rgb = pixels()
    lines = [bytes(np.asarray(row[:, ::-1], np.uint8)) for row in rgb[::-1]]
    for header in (12, 16, 40, 52, 56, 64, 108, 124):
        yield f"bmp24_header{header}.bmp", bmp(header, 24, stored(lines)), rgb
    yield "bmp24_top_down.bmp", bmp(40, 24, stored(lines[::-1]), top_down=True), rgb
    for bits in (1, 4, 8):
        indices = pixels(channels=1, bits=bits)[..., 0]
        rows = stored(packed(row, bits) for row in indices[::-1])
        true = np.array(PALETTE)[indices]
        for header in (12, 40, 64, 124):
            yield f"bmp{bits}_header{header}.bmp", bmp(header, bits, rows, colours=1 << bits), true
    few = pixels(channels=1, bits=5)[..., 0]
    yield "bmp8_short_palette.bmp", bmp(40, 8, stored(bytes(map(int, row)) for row in few[::-1]), colours=32), np.array(PALETTE)[few]
    runs = pixels(channels=1, bits=6)[..., 0]
    runs[:, 1:3] = runs[:, :1]
    yield "bmp_rle8.bmp", bmp(40, 8, rle8(runs), compression=1, colours=64), np.array(PALETTE)[runs]
    four = pixels(channels=1, bits=4)[..., 0]
    body = b"".join(bytes([0, 17]) + packed(row, 4) + b"\0" + b"\0\0" for row in four[::-1]) + b"\0\1"
    yield "bmp_rle4.bmp", bmp(40, 4, body, compression=2, colours=16), np.array(PALETTE)[four]
    for name, widths in {"555": (5, 5, 5), "565": (5, 6, 5), "444": (4, 4, 4)}.items():
        parts = [pixels(channels=1, bits=w, seed=i)[..., 0] for i, w in enumerate(widths)]
        shifts = (widths[1] + widths[2], widths[2], 0)
        masks = [((1 << w) - 1) << s for w, s in zip(widths, shifts)]
        values = sum(p << s for p, s in zip(parts, shifts))
        true = np.stack([nearest_8(p, w) for p, w in zip(parts, widths)], -1)
        rows = stored(np.asarray(row, "<u2").tobytes() for row in values[::-1])
        yield f"bmp16_{name}.bmp", bmp(40, 16, rows, compression=3, masks=masks), true
        if name == "555":
            yield "bmp16_plain.bmp", bmp(40, 16, rows), true
    for name, masks in {"bgrx": (0xFF0000, 0xFF00, 0xFF), "rgbx": (0xFF, 0xFF00, 0xFF0000), "xrgb": (0xFF00, 0xFF0000, 0xFF000000)}.items():
        values = sum(rgb[..., c] << (masks[c] & -masks[c]).bit_length() - 1 for c in range(3))
        rows = stored(np.asarray(row, "<u4").tobytes() for row in values[::-1])
        yield f"bmp32_{name}.bmp", bmp(40, 32, rows, compression=3, masks=masks), rgb
        yield f"bmp32_{name}_v4.bmp", bmp(108, 32, rows, compression=3, masks=masks), rgb


# ---- PNG

ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(values, bits, colour, interlaced=False, extra=b"", ending=True, compression=0):
    """`values` [H, W, C] in the file's own samples."""
    height, width = values.shape[:2]
    passes = [values[y::dy, x::dx] for x, y, dx, dy in ADAM7] if interlaced else [values]
    raw = b""
    for part in passes:
        for row in part if part.size else []:
            row = row.ravel()
            raw += b"\0" + (np.asarray(row, ">u2").tobytes() if bits == 16 else packed(row, bits))
    head = struct.pack(">IIBBBBB", width, height, bits, colour, compression, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(raw))
            + (chunk(b"IEND", b"") if ending else b""))


def pngs():
    palette = chunk(b"PLTE", bytes(c for entry in PALETTE for c in entry))
    for interlaced in (False, True):
        way = "_interlaced" if interlaced else ""
        for bits in (1, 2, 4, 8, 16):
            grey = pixels(channels=1, bits=bits)
            yield f"png_grey{bits}{way}.png", png(grey, bits, 0, interlaced), nearest_8(np.repeat(grey, 3, 2), bits)
        for bits in (1, 2, 4, 8):
            index = pixels(channels=1, bits=bits)
            part = chunk(b"PLTE", bytes(c for entry in PALETTE[: 1 << bits] for c in entry))
            yield f"png_palette{bits}{way}.png", png(index, bits, 3, interlaced, part), np.array(PALETTE)[index[..., 0]]
        for bits in (8, 16):
            for colour, channels, name in ((2, 3, "rgb"), (4, 2, "grey_alpha"), (6, 4, "rgba")):
                values = pixels(channels=channels, bits=bits)
                true = values[..., :3] if colour != 4 else np.repeat(values[..., :1], 3, 2)
                yield f"png_{name}{bits}{way}.png", png(values, bits, colour, interlaced), nearest_8(true, bits)
    rgb = pixels()
    yield "png_without_end.png", png(rgb, 8, 2, ending=False), rgb
    yield "png_with_trailer.png", png(rgb, 8, 2) + b"and more", rgb
    index = pixels(channels=1, bits=8)
    transparent = palette + chunk(b"tRNS", bytes(range(200)))
    yield "png_transparent_palette.png", png(index, 8, 3, extra=transparent), np.array(PALETTE)[index[..., 0]]
    yield "png_bad_profile.png", png(rgb, 8, 2, extra=chunk(b"iCCP", b"x\0\0nothing")), rgb


# ---- TIFF

def tiff(values, bits, photometric, *, big_endian=False, tiled=False, planar=False, deflate=False, tags=(), rows_per_strip=5):
    """`values` [H, W, C] in the file's own samples."""
    order = ">" if big_endian else "<"
    height, width, channels = values.shape

    def line(row):
        row = row.ravel()
        return np.asarray(row, order + "u2").tobytes() if bits == 16 else packed(row, bits)

    planes = [values[..., c : c + 1] for c in range(channels)] if planar else [values]
    blocks = []
    for plane in planes:
        if tiled:
            padded = np.zeros(((height + 15) // 16 * 16, (width + 15) // 16 * 16, plane.shape[2]), plane.dtype)
            padded[:height, :width] = plane
            for y in range(0, height, 16):
                for x in range(0, width, 16):
                    blocks.append(b"".join(line(row) for row in padded[y : y + 16, x : x + 16]))
        else:
            blocks += [b"".join(line(row) for row in plane[y : y + rows_per_strip]) for y in range(0, height, rows_per_strip)]
    blocks = [zlib.compress(b) for b in blocks] if deflate else blocks
    data, offsets = b"", []
    for block in blocks:
        offsets.append(8 + len(data))
        data += block + b"\0" * (len(block) % 2)
    entries = {256: ("I", [width]), 257: ("I", [height]), 258: ("H", [bits] * channels), 259: ("H", [8 if deflate else 1]),
               262: ("H", [photometric]), 277: ("H", [channels]), 284: ("H", [2 if planar else 1])}
    places, counts = ((324, 325) if tiled else (273, 279))
    entries[places], entries[counts] = ("I", offsets), ("I", [len(b) for b in blocks])
    entries.update({322: ("I", [16]), 323: ("I", [16])} if tiled else {278: ("I", [rows_per_strip])})
    entries.update(dict(tags))
    directory, beside = struct.pack(order + "H", len(entries)), b""
    start = 8 + len(data)
    after = start + 2 + 12 * len(entries) + 4
    for tag in sorted(entries):
        kind, numbers = entries[tag]
        content = struct.pack(order + kind * len(numbers), *numbers)
        directory += struct.pack(order + "HHI", tag, 3 if kind == "H" else 4, len(numbers))
        if len(content) > 4:
            directory += struct.pack(order + "I", after + len(beside))
            beside += content
        else:
            directory += content.ljust(4, b"\0")
    mark = (b"MM\0*" if big_endian else b"II*\0") + struct.pack(order + "I", start)
    return mark + data + directory + b"\0\0\0\0" + beside


def cmyk_to_rgb(cmyk):
    """Pillow's own arithmetic, by Pillow."""
    from PIL import Image

    return np.asarray(Image.frombytes("CMYK", cmyk.shape[1::-1], np.asarray(cmyk, np.uint8).tobytes()).convert("RGB"))


def lab_to_rgb(lightness, a, b):
    """By Little CMS, of CIE L*a*b* in 8 bits as Pillow has it: L 0-255, a and b from -128 on."""
    from PIL import Image

    planes = np.stack([lightness, a, b], -1).astype(np.uint8)
    return np.asarray(Image.merge("LAB", [Image.fromarray(planes[..., c]) for c in range(3)]).convert("RGB"))


def tiffs():
    for bits in (1, 2, 3, 4, 6, 8, 10, 12, 14, 16):
        grey = pixels(channels=1, bits=bits)
        true = nearest_8(np.repeat(grey, 3, 2), bits)
        yield f"tif_grey{bits}.tif", tiff(grey, bits, 1), true
        yield f"tif_white_is_zero{bits}.tif", tiff(grey, bits, 0, big_endian=bits > 8), 255 - true
        yield f"tif_grey{bits}_tiled.tif", tiff(grey, bits, 1, tiled=True, deflate=True), true
    for bits in (4, 8, 12, 16):
        rgb = pixels(bits=bits)
        yield f"tif_rgb{bits}.tif", tiff(rgb, bits, 2), nearest_8(rgb, bits)
        yield f"tif_rgb{bits}_planar.tif", tiff(rgb, bits, 2, planar=True, big_endian=True), nearest_8(rgb, bits)
        yield f"tif_rgb{bits}_planar_tiled.tif", tiff(rgb, bits, 2, planar=True, tiled=True), nearest_8(rgb, bits)
    for bits in (8, 16):
        inks = pixels(channels=4, bits=bits)
        true = cmyk_to_rgb(nearest_8(inks, bits))
        yield f"tif_cmyk{bits}.tif", tiff(inks, bits, 5), true
        yield f"tif_cmyk{bits}_planar.tif", tiff(inks, bits, 5, planar=True, deflate=True), true
    for bits in (4, 8):
        index = pixels(channels=1, bits=bits)
        for name, factor in (("257", 257), ("256", 256), ("1", 1)):
            colours = [c * factor for channel in zip(*PALETTE[: 1 << bits]) for c in channel]
            yield f"tif_palette{bits}_times{name}.tif", tiff(index, bits, 3, tags={320: ("H", colours)}), np.array(PALETTE)[index[..., 0]]
    y, x = np.mgrid[:12, :17]
    light, a, b = 70 + 12 * y, 128 + x - 8, 128 + y - 6  # inside of what sRGB has
    true = lab_to_rgb(light, a, b)
    signed = np.stack([light, (a - 128) % 256, (b - 128) % 256], -1).astype(np.uint32)
    yield "tif_lab8.tif", tiff(signed, 8, 8), true
    yield "tif_icclab8.tif", tiff(np.stack([light, a, b], -1).astype(np.uint32), 8, 9), true
    wide = np.stack([light * 257, (a - 128) * 256 % 65536, (b - 128) * 256 % 65536], -1).astype(np.uint32)
    yield "tif_lab16.tif", tiff(wide, 16, 8), true
    wide = np.stack([np.rint(light * 0xFF00 / 255), a * 256, b * 256], -1).astype(np.uint32)
    yield "tif_icclab16.tif", tiff(wide, 16, 9), true
