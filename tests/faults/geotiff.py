# SPDX-License-Identifier: Apache-2.0
"""GeoTIFFs written byte by byte, so that every tag can be chosen."""

import struct

FORMATS = {2: "s", 3: "H", 4: "I", 12: "d"}


def write(path, width=64, height=64, metadata="", pixels=None, claimed=None):
    """RGB in EPSG:32617, 1 m a pixel. metadata: what stands in <GDALMetadata>; claimed: another size than that of the pixels."""
    pixels = pixels if pixels is not None else bytes((7 * x + 5 * y) % 256 for y in range(height) for x in range(width) for _ in "rgb")
    wide, high = claimed or (width, height)
    tags = [(256, 4, [wide]), (257, 4, [high]), (258, 3, [8, 8, 8]), (259, 3, [1]), (262, 3, [2]), (273, 4, None), (277, 3, [3]),
            (278, 4, [high]), (279, 4, [len(pixels)]), (33550, 12, [1.0, 1.0, 0.0]), (33922, 12, [0, 0, 0, 5e5, 4e6, 0]),
            (34735, 3, [1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32617])]
    if metadata:
        tags.append((42112, 2, f"<GDALMetadata>{metadata}</GDALMetadata>".encode() + b"\0"))
    tags.sort()
    start = 8 + 2 + 12 * len(tags) + 4
    table, blob = struct.pack("<H", len(tags)), b""
    packed = []
    for tag, kind, values in tags:
        data = None if values is None else values if kind == 2 else struct.pack(f"<{len(values)}{FORMATS[kind]}", *values)
        where = None
        if data is not None and len(data) > 4:
            where = start + len(blob)
            blob += data + b"\0" * (len(data) % 2)
        packed.append((tag, kind, 1 if values is None else len(values), data, where))
    for tag, kind, count, data, where in packed:
        value = struct.pack("<I", start + len(blob) if data is None else where) if data is None or where else data.ljust(4, b"\0")
        table += struct.pack("<HHI", tag, kind, count) + value
    path.write_bytes(struct.pack("<2sHI", b"II", 42, 8) + table + struct.pack("<I", 0) + blob + pixels)
    return path
