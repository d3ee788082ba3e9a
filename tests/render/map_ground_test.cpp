// SPDX-License-Identifier: Apache-2.0
#include "render/map_ground.h"

#include <cmath>
#include "catch.h"

#include "base/error.h"
#include "geo/footprint.h"
#include "geo/geotiff.h"
#include "scratch.h"

using namespace imatch;
using imatch::testing::Geotiff;
using imatch::testing::Scratch;

namespace {

/// White spots of 3 px deviation on black, 100 px apart.
Geotiff spots(int epsg, std::array<double, 6> geotransform) {
  Geotiff tiff;
  tiff.width = 700;
  tiff.height = 500;
  tiff.bands = 1;
  tiff.epsg = epsg;
  tiff.geotransform = geotransform;
  tiff.value = [](int, int x, int y) {
    const double dx = std::remainder(x + 0.5 - 50, 100), dy = std::remainder(y + 0.5 - 50, 100);
    return std::round(250 * std::exp(-(dx * dx + dy * dy) / 18));
  };
  return tiff;
}

/// Centre of brightness around a point of the image.
Point2 centroid(const View& view, Point2 about, double radius) {
  double sum = 0, x_sum = 0, y_sum = 0;
  for (int y = std::max(0, static_cast<int>(about.y - radius));
       y < std::min(view.image.height, static_cast<int>(about.y + radius)); ++y)
    for (int x = std::max(0, static_cast<int>(about.x - radius));
         x < std::min(view.image.width, static_cast<int>(about.x + radius)); ++x) {
      const double value = view.image.pixel(x, y)[0];
      sum += value;
      x_sum += value * (x + 0.5);
      y_sum += value * (y + 0.5);
    }
  return {x_sum / sum, y_sum / sum};
}

/// Every spot that lies well inside the view must be seen where the truth puts it.
int check_spots(const MapGround& ground, const CameraOptions& camera, double tolerance_px) {
  const View view = ground.view(camera);
  const Homography image = image_from_ground(camera);
  int seen = 0;
  for (int j = 0; j < 5; ++j)
    for (int i = 0; i < 7; ++i) {
      const Point2 g = ground.map().ground_from_pixel({50.0 + 100 * i, 50.0 + 100 * j});
      if (!(image.depth(g) > 0)) continue;
      const Point2 expected = image(g);
      const double radius = 15 * ground.gsd_m() / gsd_at(view.ground_from_image, expected);
      if (!(expected.x > radius && expected.y > radius && expected.x < camera.width - radius &&
            expected.y < camera.height - radius))
        continue;
      const Point2 found = centroid(view, expected, radius);
      CAPTURE(i, j, expected.x, expected.y, found.x, found.y);
      CHECK(std::hypot(found.x - expected.x, found.y - expected.y) < tolerance_px);
      ++seen;
    }
  return seen;
}

}  // namespace

TEST_CASE("map view: points of the map are seen where the camera's homography puts them") {
  const Scratch scratch;
  const std::string path = scratch / "spots.tif";
  const double c = 0.2 * std::cos(0.6), s = 0.2 * std::sin(0.6);
  SECTION("degrees") {
    spots(4326, {-83.306, 2.4e-6, 0, 41.037, 0, -1.8e-6}).write(path);
  }
  SECTION("UTM") {
    spots(32617, {306241.0, 0.2, 0, 4545337.0, 0, -0.2}).write(path);
  }
  SECTION("UTM, rotated") {
    spots(32617, {306241.0, c, s, 4545337.0, s, -c}).write(path);
  }
  SECTION("web Mercator, whose metres are not") {
    spots(3857, {-9273500.0, 0.26, 0, 5016200.0, 0, -0.26}).write(path);
  }
  const MapGround ground(path);
  CameraOptions camera;
  camera.altitude_m = 60;
  camera.width = 500;
  camera.height = 400;
  CHECK(check_spots(ground, camera, 0.06) >= 4);
  camera.heading_deg = 77;
  camera.x_m = 11;
  camera.y_m = -8;
  CHECK(check_spots(ground, camera, 0.06) >= 4);
  camera.altitude_m = 110;  // coarser than the map: a halved level
  CHECK(check_spots(ground, camera, 0.06) >= 8);
  camera.tilt_deg = 20;
  CHECK(check_spots(ground, camera, 0.3) >= 8);  // perspective shifts the centroid of a spot itself
}

TEST_CASE("map view: stored overviews give the same picture") {
  const Scratch scratch;
  Geotiff tiff = spots(32617, {306241.0, 0.2, 0, 4545337.0, 0, -0.2});
  tiff.width = 701;
  tiff.write(scratch / "plain.tif");
  tiff.finish = [](GDALDatasetH d) {
    int factors[] = {2, 4};
    (void)!GDALBuildOverviews(d, "AVERAGE", 2, factors, 0, nullptr, nullptr, nullptr);
  };
  tiff.write(scratch / "overviews.tif");
  const MapGround plain(scratch / "plain.tif"), stored(scratch / "overviews.tif");
  CameraOptions camera;
  camera.altitude_m = 110;
  camera.width = 200;
  camera.height = 150;
  camera.heading_deg = 30;
  const View a = plain.view(camera), b = stored.view(camera);
  CHECK(a.valid == b.valid);
  double sum = 0;
  for (std::size_t i = 0; i < a.image.rgb.size(); ++i)
    sum += std::abs(int{a.image.rgb[i]} - int{b.image.rgb[i]});
  CHECK(sum / static_cast<double>(a.image.rgb.size()) < 0.5);
}

TEST_CASE("map view: holes and what lies outside are invalid") {
  const Scratch scratch;
  const std::string path = scratch / "hole.tif";
  Geotiff tiff = spots(32617, {306241.0, 0.2, 0, 4545337.0, 0, -0.2});
  tiff.value = [](int, int x, int) { return x < 350 ? 0 : 200; };
  tiff.finish = [](GDALDatasetH d) { GDALSetRasterNoDataValue(GDALGetRasterBand(d, 1), 0); };
  tiff.write(path);
  const MapGround ground(path);
  CameraOptions camera;
  camera.altitude_m = 30;
  camera.heading_deg = -1.5;  // about grid north there
  const View half = ground.view(camera);
  CHECK(coverage(half) == Approx(0.5).margin(0.03));
  // SurfaceColour of the hole does not leak across its edge.
  for (std::size_t i = 0; i < half.valid.size(); ++i)
    if (half.valid[i]) REQUIRE(int{half.image.rgb[3 * i]} == 200);
  camera.x_m = 5000;
  CHECK(coverage(ground.view(camera)) == 0);
  camera.x_m = 0;
  camera.tilt_deg = 85;
  CHECK(coverage(ground.view(camera)) < 0.9);
}

TEST_CASE("map view: the frame is good to 0.05 m over a kilometre") {
  const Scratch scratch;
  const std::string path = scratch / "large.tif";
  Geotiff tiff = spots(4326, {-83.306, 2.4e-5, 0, 41.037, 0, -1.8e-5});  // 2 m a pixel, 1.4 km wide
  tiff.value = [](int, int, int) { return 100; };
  tiff.write(path);
  const MapGround ground(path);
  const GroundExtent e = ground.extent();
  CHECK(e.east_m - e.west_m == Approx(1411).margin(5));
  // Ground metres between pixels are geodesic metres.
  const GeoMap& map = ground.map();
  const Point2 a = map.ground_from_pixel({20, 20}), b = map.ground_from_pixel({600, 480});
  CHECK(std::hypot(a.x - b.x, a.y - b.y) ==
        Approx(geodesic_m(map.latlon_from_pixel({20, 20}), map.latlon_from_pixel({600, 480}))).margin(1e-4));
}

TEST_CASE("map view: a damaged file fails with its name") {
  CHECK_THROWS_AS(MapGround("/nowhere/map.tif"), Failure);
}
