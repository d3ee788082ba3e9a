// SPDX-License-Identifier: Apache-2.0
#include "geo/map.h"

#include <cpl_conv.h>
#include <cpl_vsi.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include "catch.h"

#include "base/error.h"
#include "geotiff.h"
#include "scratch.h"
#include "test_data.h"

using namespace imatch;
using imatch::testing::Geotiff;
using imatch::testing::Scratch;

namespace {

/// 40 × 30 px of 0.5 m in UTM zone 17 north.
Geotiff utm_map() {
  Geotiff tiff;
  tiff.width = 40;
  tiff.height = 30;
  tiff.geotransform = {306241.0, 0.5, 0, 4545337.0, 0, -0.5};
  tiff.epsg = 32617;
  tiff.value = [](int band, int x, int y) { return (band * 80 + 3 * x + 2 * y) % 256; };
  return tiff;
}

const std::uint8_t* rgba_at(const MapPixels& pixels, int x, int y) {
  return pixels.rgba.data() + 4 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(pixels.width) +
                                   static_cast<std::size_t>(x));
}

std::string failure_code(const std::string& path) {
  try {
    GeoMap map(path);
  } catch (const Failure& failure) {
    INFO(failure.what());
    CHECK(std::string(failure.what()).find(path) != std::string::npos);
    return failure.code();
  }
  return "none";
}

}  // namespace

TEST_CASE("map: degrees go on across 180") {
  const Scratch scratch;
  Geotiff tiff = utm_map();
  tiff.geotransform = {179.9, 0.01, 0, -16.0, 0, -0.01};  // 179.9 to 180.3: -179.7
  tiff.epsg = 4326;
  tiff.write(scratch / "east.tif");
  tiff.geotransform[0] = -180.1;
  tiff.write(scratch / "west.tif");
  for (const auto& [name, begin] : {std::pair{"east.tif", 179.9}, {"west.tif", -180.1}}) {
    CAPTURE(name);
    const GeoMap map(scratch / name);
    for (const double x : {1.0, 20.0, 39.0}) {
      const LatLon at = map.latlon_from_pixel({x, 10});
      CHECK(std::abs(at.longitude_deg) <= 180);
      CHECK(std::remainder(at.longitude_deg - (begin + 0.01 * x), 360) == Approx(0).margin(1e-9));
      const Point2 back = map.pixel_from_latlon(at);
      CHECK(back.x == Approx(x).margin(1e-6));
      CHECK(back.y == Approx(10).margin(1e-6));
    }
    const Point2 ground = map.ground_from_pixel({39, 15});
    CHECK(ground.x == Approx(19 * 0.01 * 106900).epsilon(0.01));  // metres a degree at 16.15 south
  }
}

TEST_CASE("map: files without a usable place are refused with the reason") {
  const Scratch scratch;
  const auto reason = [&](const std::string& path) -> std::string {
    try {
      GeoMap map(path);
    } catch (const Failure& failure) {
      CHECK(failure.code() == code::kBadFormat);
      CHECK(std::string(failure.what()).starts_with(path + ": "));
      return failure.what();
    }
    return "";
  };
  using Catch::Matchers::Contains;
  Geotiff tiff = utm_map();
  tiff.epsg = 4326;
  tiff.write(scratch / "metres.tif");
  CHECK_THAT(reason(scratch / "metres.tif"), Contains("metres labelled as degrees"));
  tiff = utm_map();
  tiff.geotransform = {};
  tiff.epsg = 0;
  tiff.finish = [](GDALDatasetH dataset) {
    char* rpc[] = {const_cast<char*>("LINE_OFF=10"), nullptr};
    GDALSetMetadata(dataset, rpc, "RPC");
  };
  tiff.write(scratch / "rpc.tif");
  CHECK_THAT(reason(scratch / "rpc.tif"), Contains("RPC") || Contains("no coordinate reference system"));
  std::ofstream(scratch / "a.vrt") << "<VRTDataset rasterXSize=\"2\" rasterYSize=\"2\"></VRTDataset>";
  CHECK_THAT(reason(scratch / "a.vrt"), Contains("virtual raster"));
  if (const auto data = imatch::testing::test_data()) {
    const std::string odd = *data + "/odd_inputs/";
    CHECK_THAT(reason(odd + "map_gcps_only.tif"), Contains("ground control points"));
    CHECK_THAT(reason(odd + "map_metres_labelled_epsg4326.tif"), Contains("metres labelled as degrees"));
    CHECK_THAT(reason(odd + "map_mosaic.vrt"), Contains("virtual raster"));
    const GeoMap whole(odd + "utm_north.tif"), alpha(odd + "map_alpha_and_nodata0.tif");
    const MapPixels pixels = alpha.read(0, 0, 0, alpha.width(), alpha.height());
    CHECK(whole.width() == alpha.width());
    // Black where alpha says that there is data, whatever nodata says.
    CHECK(rgba_at(pixels, 100, 100)[3] == 255);
  }
}

TEST_CASE("map: an alpha band counts, also beside a nodata value") {
  const Scratch scratch;
  Geotiff tiff = utm_map();
  tiff.bands = 4;
  tiff.value = [](int band, int x, int) { return band < 3 ? 0 : x < 20 ? 255 : 0; };
  tiff.creation = {"PHOTOMETRIC=RGB", "ALPHA=YES"};
  tiff.finish = [](GDALDatasetH dataset) {
    for (int band = 1; band <= 4; ++band) GDALSetRasterNoDataValue(GDALGetRasterBand(dataset, band), 0);
  };
  tiff.write(scratch / "both.tif");
  const MapPixels pixels = GeoMap(scratch / "both.tif").read(0, 0, 0, 40, 30);
  CHECK(rgba_at(pixels, 5, 5)[3] == 255);
  CHECK(rgba_at(pixels, 30, 5)[3] == 0);
}

TEST_CASE("map: RGB windows come back as written") {
  const Scratch scratch;
  const std::string path = scratch / "rgb.tif";
  utm_map().write(path);
  const GeoMap map(path);
  CHECK(map.width() == 40);
  CHECK(map.height() == 30);
  CHECK(map.crs() == "EPSG:32617");
  CHECK(map.gsd_m() == Approx(0.5).epsilon(1e-3));
  const MapPixels window = map.read(0, 7, 5, 20, 9);
  for (int y = 0; y < 9; ++y)
    for (int x = 0; x < 20; ++x) {
      for (int c = 0; c < 3; ++c)
        REQUIRE(rgba_at(window, x, y)[c] == (c * 80 + 3 * (x + 7) + 2 * (y + 5)) % 256);
      REQUIRE(rgba_at(window, x, y)[3] == 255);
    }
}

TEST_CASE("map: windows outside are refused, not padded") {
  const Scratch scratch;
  const std::string path = scratch / "rgb.tif";
  utm_map().write(path);
  const GeoMap map(path);
  CHECK_THROWS_AS(map.read(0, -1, 0, 4, 4), Failure);
  CHECK_THROWS_AS(map.read(0, 37, 0, 4, 4), Failure);
  CHECK_THROWS_AS(map.read(0, 0, 2147483647, 4, 4), Failure);
  CHECK_THROWS_AS(map.read(0, 0, 0, 0, 4), Failure);
  CHECK_THROWS_AS(map.read(1, 0, 0, 4, 4), Error);
  CHECK_THROWS_WITH(
      map.read(0, 37, 0, 4, 4),
      Catch::Contains("the window of 4 x 4 pixels at (37, 0) is not inside the 40 x 30 pixels of level 0"));
}

TEST_CASE("map: positions agree with PROJ in UTM, degrees and rotated maps") {
  const Scratch scratch;
  const std::string path = scratch / "place.tif";
  Geotiff tiff = utm_map();
  SECTION("UTM") {
    // 306241.xx E, 4545xxx N: the corner's position from pyproj stands in tests/peers; here the map's own
    // scale.
    tiff.write(path);
    const GeoMap map(path);
    // pyproj: EPSG:4326 (-83.305, 41.0365) is (306245.64121, 4545368.43146).
    const Point2 there = map.pixel_from_latlon({41.0365, -83.305});
    CHECK(there.x == Approx((306245.6412124275 - 306241) / 0.5).margin(1e-5));
    CHECK(there.y == Approx((4545337 - 4545368.43146262) / 0.5).margin(1e-5));
    const Point2 a = map.ground_from_pixel({0, 0}), b = map.ground_from_pixel({40, 0});
    CHECK(std::hypot(b.x - a.x, b.y - a.y) == Approx(20).epsilon(1e-3));  // UTM's scale is within 0.1 % of 1
  }
  SECTION("degrees") {
    tiff.epsg = 4326;
    tiff.geotransform = {-83.306, 1e-6, 0, 41.037, 0, -1e-6};
    tiff.write(path);
    const GeoMap map(path);
    const LatLon p = map.latlon_from_pixel({10, 20});
    CHECK(p.latitude_deg == Approx(41.03698).margin(1e-12));
    CHECK(p.longitude_deg == Approx(-83.30599).margin(1e-12));
    const Point2 east = map.ground_from_pixel({21, 15});
    CHECK(east.x > 0);
    CHECK(east.y == Approx(0).margin(1e-6));
  }
  SECTION("rotated by 30 degrees") {
    const double c = 0.5 * std::cos(M_PI / 6), s = 0.5 * std::sin(M_PI / 6);
    tiff.geotransform = {306241.0, c, s, 4545337.0, s, -c};
    tiff.write(path);
    const GeoMap map(path);
    CHECK(map.gsd_m() == Approx(0.5).epsilon(1e-3));
    const Point2 step = map.ground_from_pixel({21, 15});
    CHECK(std::atan2(step.y, step.x) * 180 / M_PI ==
          Approx(30).margin(2));  // grid north leans by 1.5 degrees there
  }
  const GeoMap map(path);
  for (double x = -5; x <= 45; x += 12.5)
    for (double y = -5; y <= 35; y += 10) {
      const Point2 back = map.pixel_from_ground(map.ground_from_pixel({x, y}));
      CHECK(back.x == Approx(x).margin(1e-4));
      CHECK(back.y == Approx(y).margin(1e-4));
    }
}

TEST_CASE("map: grey, palette, few bits and many") {
  const Scratch scratch;
  const std::string path = scratch / "map.tif";
  Geotiff tiff = utm_map();
  tiff.bands = 1;
  SECTION("grey") {
    tiff.write(path);
    const MapPixels p = GeoMap(path).read(0, 0, 0, 40, 30);
    for (int c = 0; c < 3; ++c) CHECK(rgba_at(p, 9, 4)[c] == 35);
  }
  SECTION("palette") {
    tiff.value = [](int, int x, int) { return x % 3; };
    tiff.finish = [](GDALDatasetH dataset) {
      const GDALColorTableH table = GDALCreateColorTable(GPI_RGB);
      const GDALColorEntry entries[] = {{10, 20, 30, 255}, {200, 100, 50, 255}, {1, 2, 3, 255}};
      for (int i = 0; i < 3; ++i) GDALSetColorEntry(table, i, &entries[i]);
      GDALSetRasterColorTable(GDALGetRasterBand(dataset, 1), table);
      GDALDestroyColorTable(table);
    };
    tiff.write(path);
    const MapPixels p = GeoMap(path).read(0, 0, 0, 40, 30);
    CHECK(rgba_at(p, 4, 0)[0] == 200);
    CHECK(rgba_at(p, 4, 0)[1] == 100);
    CHECK(rgba_at(p, 4, 0)[2] == 50);
    CHECK(rgba_at(p, 3, 7)[2] == 30);
  }
  SECTION("1 bit") {
    tiff.creation = {"NBITS=1"};
    tiff.value = [](int, int x, int) { return x % 2; };
    tiff.write(path);
    const MapPixels p = GeoMap(path).read(0, 0, 0, 40, 30);
    CHECK(rgba_at(p, 0, 0)[0] == 0);
    CHECK(rgba_at(p, 1, 0)[0] == 255);
  }
  SECTION("16 bits between stated values") {
    tiff.type = GDT_UInt16;
    tiff.value = [](int, int x, int y) { return 1000 + 40 * x + y; };
    tiff.write(path);
    GeoMapOptions options;
    options.value_low = 1000;
    options.value_high = 2000;
    const MapPixels p = GeoMap(path, options).read(0, 0, 0, 40, 30);
    CHECK(rgba_at(p, 10, 0)[0] == std::lround(400 * 0.255));
    CHECK(rgba_at(p, 39, 29)[1] == 255);  // above white
    options.value_high = 500;
    CHECK_THROWS_WITH(GeoMap(path, options), Catch::Contains("value_high: 500"));
  }
  SECTION("16 bits between percentiles") {
    tiff.type = GDT_UInt16;
    tiff.value = [](int, int x, int y) { return x == 0 && y == 0 ? 65535.0 : 1000.0 + 10 * x; };
    tiff.write(path);
    const MapPixels p = GeoMap(path).read(0, 0, 0, 40, 30);
    CHECK(rgba_at(p, 0, 1)[0] == 0);
    CHECK(rgba_at(p, 39, 0)[0] == 255);
    CHECK(std::abs(int{rgba_at(p, 20, 0)[0]} - 131) <= 2);  // the single bright pixel does not set the scale
  }
  SECTION("floats with holes") {
    tiff.type = GDT_Float32;
    tiff.value = [](int, int x, int) { return x == 5 ? std::nan("") : 0.01 * x; };
    tiff.write(path);
    const MapPixels p = GeoMap(path).read(0, 0, 0, 40, 30);
    CHECK(rgba_at(p, 5, 3)[3] == 0);
    CHECK(rgba_at(p, 6, 3)[3] == 255);
    CHECK(rgba_at(p, 39, 3)[0] == 255);
  }
}

TEST_CASE("map: masks of every kind say where there is data") {
  const Scratch scratch;
  const std::string path = scratch / "map.tif";
  Geotiff tiff = utm_map();
  const auto expected = [](int x) { return x < 10 ? 0 : 255; };
  SECTION("nodata needs all bands to be it") {
    tiff.value = [](int band, int x, int) { return x < 10 || band == 1 ? 0 : 90; };
    tiff.finish = [](GDALDatasetH d) {
      for (int b = 1; b <= 3; ++b) GDALSetRasterNoDataValue(GDALGetRasterBand(d, b), 0);
    };
  }
  SECTION("alpha") {
    tiff.bands = 4;
    tiff.creation = {"ALPHA=YES"};
    tiff.value = [&](int band, int x, int y) { return band == 3 ? expected(x) : x + y; };
  }
  const auto write_mask = [](GDALDatasetH d) {
    GDALCreateDatasetMaskBand(d, GMF_PER_DATASET);
    std::vector<std::uint8_t> row(40, 255);
    std::fill_n(row.begin(), 10, std::uint8_t{0});
    for (int y = 0; y < 30; ++y)
      (void)!GDALRasterIO(GDALGetMaskBand(GDALGetRasterBand(d, 1)), GF_Write, 0, y, 40, 1, row.data(), 40, 1,
                          GDT_Byte, 0, 0);
  };
  SECTION("mask inside") {
    tiff.finish = [&](GDALDatasetH d) {
      CPLSetThreadLocalConfigOption("GDAL_TIFF_INTERNAL_MASK", "YES");
      write_mask(d);
      CPLSetThreadLocalConfigOption("GDAL_TIFF_INTERNAL_MASK", nullptr);
    };
  }
  SECTION("mask beside") {
    tiff.finish = [&](GDALDatasetH d) {
      CPLSetThreadLocalConfigOption("GDAL_TIFF_INTERNAL_MASK", "NO");
      write_mask(d);
      CPLSetThreadLocalConfigOption("GDAL_TIFF_INTERNAL_MASK", nullptr);
    };
  }
  tiff.write(path);
  GeoMapOptions options;
  options.side_files = true;
  const MapPixels p = GeoMap(path, options).read(0, 0, 0, 40, 30);
  for (int y = 0; y < 30; ++y)
    for (int x = 0; x < 40; ++x) REQUIRE(int{rgba_at(p, x, y)[3]} == expected(x));
}

TEST_CASE("map: no other file is opened") {
  const Scratch scratch;
  const std::string path = scratch / "map.tif";
  Geotiff tiff = utm_map();
  SECTION("overviews and a mask beside it, unless they are asked for") {
    tiff.width = 301;
    tiff.finish = [](GDALDatasetH d) {
      CPLSetThreadLocalConfigOption("GDAL_TIFF_INTERNAL_MASK", "NO");
      GDALCreateDatasetMaskBand(d, GMF_PER_DATASET);  // all 0
      CPLSetThreadLocalConfigOption("GDAL_TIFF_INTERNAL_MASK", nullptr);
    };
    tiff.write(path);
    {
      const GDALDatasetH d = GDALOpen(path.c_str(), GA_ReadOnly);
      int factors[] = {2};
      REQUIRE(GDALBuildOverviews(d, "AVERAGE", 1, factors, 0, nullptr, nullptr, nullptr) == CE_None);
      GDALClose(d);
    }
    REQUIRE(std::filesystem::exists(path + ".ovr"));
    REQUIRE(std::filesystem::exists(path + ".msk"));
    const GeoMap alone(path);
    CHECK(alone.levels().size() == 1);
    CHECK(rgba_at(alone.read(0, 0, 0, 40, 30), 20, 20)[3] == 255);
    GeoMapOptions options;
    options.side_files = true;
    const GeoMap with_others(path, options);
    CHECK(with_others.levels().size() == 2);
    CHECK(rgba_at(with_others.read(0, 0, 0, 40, 30), 20, 20)[3] == 0);
  }
  SECTION("another file named as its overviews") {
    tiff.write(scratch / "other.tif");
    tiff.finish = [&](GDALDatasetH d) {
      GDALSetMetadataItem(d, "OVERVIEW_FILE", (scratch / "other.tif").c_str(), "OVERVIEWS");
    };
    tiff.write(path);
    CHECK_THROWS_WITH(GeoMap(path), Catch::Contains("names another file as its overviews"));
    CHECK(failure_code(path) == "bad_format");
  }
  SECTION("of GDAL's own file systems") {
    tiff.write(path);
    const GeoMap map(path);
    VSIStatBufL status;
    CHECK(VSIStatL(path.c_str(), &status) == 0);
    for (const char* prefix : {"/vsisubfile/0_,", "/vsisparse/", "/vsigzip/", "/vsicached?file="}) {
      CHECK(VSIStatL((prefix + path).c_str(), &status) != 0);
      CHECK(VSIFOpenL((prefix + path).c_str(), "rb") == nullptr);
    }
    CHECK(VSIFOpenL("/vsicurl/http://127.0.0.1:1/map.tif", "rb") == nullptr);
  }
}

TEST_CASE("map: stored overviews are levels") {
  const Scratch scratch;
  const std::string path = scratch / "map.tif";
  Geotiff tiff = utm_map();
  tiff.width = 301;
  tiff.height = 200;
  tiff.finish = [](GDALDatasetH d) {
    int factors[] = {2, 4};
    (void)!GDALBuildOverviews(d, "AVERAGE", 2, factors, 0, nullptr, nullptr, nullptr);
  };
  tiff.value = [](int, int x, int) { return x < 150 ? 40 : 200; };
  tiff.write(path);
  const GeoMap map(path);
  REQUIRE(map.levels().size() == 3);
  CHECK(map.levels()[1].width == 151);
  CHECK(map.levels()[1].scale_x == Approx(301.0 / 151));
  const MapPixels p = map.read(2, 0, 0, map.levels()[2].width, map.levels()[2].height);
  CHECK(rgba_at(p, 0, 0)[0] == 40);
  CHECK(rgba_at(p, p.width - 1, 0)[0] == 200);
}

TEST_CASE("map: what is no map says why") {
  const Scratch scratch;
  CHECK(failure_code(scratch / "none.tif") == code::kNotFound);
  CHECK(failure_code(scratch.path()) == code::kNotAFile);

  const std::string text = scratch / "text.tif";
  std::ofstream(text) << "this is no picture";
  CHECK(failure_code(text) == code::kBadFormat);
  const std::string empty = scratch / "empty.tif";
  std::ofstream{empty};
  CHECK(failure_code(empty) == code::kBadFormat);

  Geotiff tiff = utm_map();
  tiff.epsg = 0;
  tiff.write(scratch / "no_crs.tif");
  CHECK(failure_code(scratch / "no_crs.tif") == code::kBadFormat);
  CHECK_THROWS_WITH(GeoMap(scratch / "no_crs.tif"), Catch::Contains("no coordinate reference system"));
  tiff = utm_map();
  tiff.geotransform = {};
  tiff.write(scratch / "no_transform.tif");
  CHECK_THROWS_WITH(GeoMap(scratch / "no_transform.tif"), Catch::Contains("no geotransform"));
}

TEST_CASE("map: a truncated file fails at opening or at the lost window") {
  const Scratch scratch;
  const std::string path = scratch / "map.tif";
  Geotiff tiff = utm_map();
  tiff.width = tiff.height = 300;
  tiff.creation = {"COMPRESS=DEFLATE"};
  tiff.write(path);
  const auto size = std::filesystem::file_size(path);
  for (const double share : {0.9, 0.5, 0.1, 0.01}) {
    std::filesystem::resize_file(path, static_cast<std::uintmax_t>(static_cast<double>(size) * share));
    bool failed = false;
    try {
      GeoMap(path).read(0, 0, 0, 300, 300);
    } catch (const Failure& failure) {
      failed = failure.code() == code::kBadFormat;
    }
    CHECK(failed);
  }
}

TEST_CASE("map: the orthomosaic of real data", "[data]") {
  const auto data = imatch::testing::test_data();
  if (!data) return;
  const GeoMap map(*data + "/seneca_map/map.tif");
  CHECK(map.width() == 2837);
  CHECK(map.height() == 3260);
  CHECK(map.crs() == "EPSG:4326");
  CHECK(map.gsd_m() == Approx(0.15).epsilon(0.01));
  const MapPixels corner = map.read(0, 0, 0, 8, 8), middle = map.read(0, 1400, 1600, 8, 8);
  CHECK(rgba_at(corner, 0, 0)[3] == 0);
  CHECK(rgba_at(middle, 0, 0)[3] == 255);
}
