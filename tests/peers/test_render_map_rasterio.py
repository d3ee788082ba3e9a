# SPDX-License-Identifier: Apache-2.0
"""Maps as rasterio writes and reads them: where a pixel lies, what colour it has, and whether it has data."""

import numpy as np
import pytest

from program import lua

rasterio = pytest.importorskip("rasterio")
from rasterio.enums import ColorInterp  # noqa: E402
from rasterio.warp import transform  # noqa: E402

BLOCK, ROWS, COLS = 20, 6, 8
VIEW = """
local map = assert(im.render.map(arg[1]))
for line in io.lines(arg[2]) do
  local lat, lon = line:match '(%S+) (%S+)'
  local view = map:view { latitude = tonumber(lat), longitude = tonumber(lon), fov_deg = 60, width = 9, height = 9,
    altitude_m = im.geo.altitude_for_width_m(9 * map:gsd_m(), 60) }
  local red, green, blue = view:image():pixel(4, 4)
  print(red, green, blue, (view:mask():pixel(4, 4)))
end"""


def blocks(seed, low=0):
    values = np.random.default_rng(seed).integers(low, 256, (3, ROWS, COLS), np.uint8)
    values[:, 1, 2] = 0  # black, where there is data
    return values.repeat(BLOCK, 1).repeat(BLOCK, 2)


def has_data():
    valid = np.ones((ROWS, COLS), np.uint8)
    valid[2:4, 3:5] = 0
    return valid.repeat(BLOCK, 0).repeat(BLOCK, 1) * 255


def written(path, crs, affine, *, alpha=False, nodata=None, mask=False):
    profile = {"driver": "GTiff", "width": COLS * BLOCK, "height": ROWS * BLOCK, "count": 4 if alpha else 3, "dtype": "uint8", "crs": crs,
               "transform": affine, "nodata": nodata, "photometric": "RGB"}
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "w", **profile) as out:
        rgb = blocks(1, low=0 if nodata is None or alpha else 1)
        if nodata is not None and not alpha:
            rgb[:, has_data() == 0] = nodata
        out.write(rgb, [1, 2, 3])
        if alpha:
            out.write(has_data(), 4)
            out.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
        if mask:
            out.write_mask(has_data())


UTM = rasterio.Affine(0.5, 0, 500000, 0, -0.5, 5200000)
TURNED = UTM * rasterio.Affine.rotation(30)
MAPS = {
    "utm": ("EPSG:32633", UTM, {}),
    "turned": ("EPSG:32633", TURNED, {"alpha": True}),
    "alpha_and_nodata": ("EPSG:32633", UTM, {"alpha": True, "nodata": 0}),
    "nodata": ("EPSG:32733", UTM, {"nodata": 0}),
    "mask": ("EPSG:2056", rasterio.Affine(0.5, 0, 2600000, 0, -0.5, 1200000), {"mask": True}),
    "dateline_east": ("EPSG:4326", rasterio.Affine(1e-4, 0, 179.99, 0, -1e-4, -16), {}),
    "dateline_west": ("EPSG:4326", rasterio.Affine(1e-4, 0, -180.006, 0, -1e-4, 65), {"alpha": True}),
}


@pytest.mark.parametrize("name", MAPS)
def test_places_colours_and_data_are_those_of_rasterio(name, tmp_path):
    crs, affine, how = MAPS[name]
    path = tmp_path / f"{name}.tif"
    written(path, crs, affine, **how)
    middles = [(c * BLOCK + BLOCK // 2, r * BLOCK + BLOCK // 2) for r in range(ROWS) for c in range(COLS)]
    with rasterio.open(path) as source:
        rgb, valid = source.read([1, 2, 3]), source.dataset_mask()
        places = [source.transform * (x + 0.5, y + 0.5) for x, y in middles]
        lon, lat = transform(source.crs, "EPSG:4326", *zip(*places))
    lon = [(v + 180) % 360 - 180 for v in lon]
    (tmp_path / "places.txt").write_text("".join(f"{a:.12f} {b:.12f}\n" for a, b in zip(lat, lon)))
    printed = np.array([line.split() for line in lua(VIEW, path, tmp_path / "places.txt").splitlines()], int)
    assert len(printed) == len(middles)
    for (x, y), (r, g, b, shown) in zip(middles, printed):
        assert (shown > 127) == (valid[y, x] > 0), (x, y)
        if shown > 127:
            assert np.abs(np.array([r, g, b]) - rgb[:, y, x].astype(int)).max() <= 1, (x, y)


def test_maps_of_bug_reports(data):
    odd = data / "odd_inputs"
    for name, reason in {"map_gcps_only.tif": "ground control points", "map_metres_labelled_epsg4326.tif": "metres labelled as degrees",
                         "map_mosaic.vrt": "virtual raster"}.items():
        value, message, code = lua("print(im.render.map(arg[1]))", odd / name).strip().split("\t")
        assert (value, code) == ("nil", "bad_format") and name in message and reason in message
    with rasterio.open(odd / "map_alpha_and_nodata0.tif") as source:
        assert (source.dataset_mask() > 0).mean() == pytest.approx(float(lua("""
local map = assert(im.render.map(arg[1]))
local e = map:extent()
local view = map:view { x_m = 0, y_m = 0, fov_deg = 60, width = 240, height = 200,
  altitude_m = im.geo.altitude_for_width_m(240 * map:gsd_m(), 60) }
print(view:coverage())""", odd / "map_alpha_and_nodata0.tif")), abs=0.02)
