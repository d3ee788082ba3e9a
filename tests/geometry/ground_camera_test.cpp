// SPDX-License-Identifier: Apache-2.0
#include "geometry/ground_camera.h"

#include <cmath>
#include <limits>
#include "catch.h"

#include "base/error.h"

using namespace imatch;

namespace {

void check_near(Point2 a, Point2 b, double tolerance = 1e-6) {
  CHECK(a.x == Approx(b.x).margin(tolerance));
  CHECK(a.y == Approx(b.y).margin(tolerance));
}

constexpr double rad(double degrees) {
  return degrees * M_PI / 180;
}

/// The collinearity equations of photogrammetry, by rotation matrices about the axes one after the other.
Point2 project(const CameraOptions& c, double gx, double gy) {
  double x = gx - c.x_m, y = gy - c.y_m, z = -c.altitude_m;
  const auto turn = [](double& a, double& b, double angle) {
    const double s = std::sin(angle), k = std::cos(angle), old = a;
    a = k * a - s * b;
    b = s * old + k * b;
  };
  turn(x, y, rad(c.heading_deg));  // the heading becomes +y
  turn(y, z, -rad(c.tilt_deg));    // what lies ahead by the tilt comes straight below
  turn(x, z, -rad(c.roll_deg));    // likewise to the right
  const double f = c.width / 2.0 / std::tan(rad(c.fov_deg) / 2);
  return {c.width / 2.0 + f * x / -z, c.height / 2.0 - f * y / -z};
}

}  // namespace

TEST_CASE("camera: straight down, north up") {
  CameraOptions c;
  c.x_m = 10;
  c.y_m = -5;
  c.altitude_m = 100;
  c.fov_deg = 90;
  c.width = 400;
  c.height = 300;
  const Homography ground = ground_from_image(c);
  check_near(ground({200, 150}), {10, -5});
  check_near(ground({0, 0}), {-90, 70});
  check_near(ground({400, 300}), {110, -80});
  CHECK(gsd_at(ground, {17, 230}) == Approx(0.5));
}

TEST_CASE("camera: heading is clockwise, quarter turns are exact") {
  CameraOptions c;
  c.altitude_m = 100;
  c.fov_deg = 90;
  c.width = c.height = 200;
  c.heading_deg = 90;  // the image's up is east, its right is south
  Homography ground = ground_from_image(c);
  CHECK(ground({100, 0}).x == Approx(100));
  CHECK(std::abs(ground({100, 0}).y) < 1e-12);
  CHECK(ground({200, 100}).y == Approx(-100));
  c.heading_deg = 450;
  CHECK(ground_from_image(c).m == ground.m);
  c.heading_deg = -270;
  CHECK(ground_from_image(c).m == ground.m);
  c.heading_deg = 180;
  check_near(ground_from_image(c)({0, 0}), {100, -100}, 1e-12);
}

TEST_CASE("camera: tilt looks ahead, roll to the right") {
  CameraOptions c;
  c.altitude_m = 100;
  c.tilt_deg = 30;
  check_near(ground_from_image(c)({224, 168}), {0, 100 * std::tan(rad(30))});
  c.heading_deg = 90;
  check_near(ground_from_image(c)({224, 168}), {100 * std::tan(rad(30)), 0});
  c.tilt_deg = 0;
  c.roll_deg = 20;
  check_near(ground_from_image(c)({224, 168}), {0, -100 * std::tan(rad(20))});
}

TEST_CASE("camera: agrees with the collinearity equations in any attitude") {
  CameraOptions c;
  c.x_m = 31;
  c.y_m = -77;
  c.altitude_m = 87;
  c.fov_deg = 71;
  c.width = 640;
  c.height = 480;
  for (double heading = -400; heading <= 400; heading += 47)
    for (double tilt = -50; tilt <= 50; tilt += 25)
      for (double roll = -20; roll <= 20; roll += 20) {
        c.heading_deg = heading;
        c.tilt_deg = tilt;
        c.roll_deg = roll;
        const Homography image = image_from_ground(c);
        const Homography ground = ground_from_image(c);
        for (const Point2 g : {Point2{31, -77}, Point2{60, -90}, Point2{0, -40}}) {
          if (!(image.depth(g) > 0)) continue;
          check_near(image(g), project(c, g.x, g.y), 1e-7);
          check_near(ground(image(g)), g, 1e-8);
        }
      }
}

TEST_CASE("camera: the horizon parts ground from sky") {
  CameraOptions c;
  c.tilt_deg = 80;
  c.fov_deg = 60;
  c.width = 400;
  c.height = 400;
  const Homography ground = ground_from_image(c);
  // 10 degrees above the axis: tan 10 / tan 30 of the half height above the middle.
  const double horizon = 200 - 200 * std::tan(rad(10)) / std::tan(rad(30));
  CHECK(sees_ground(ground, {200, horizon + 0.01}));
  CHECK_FALSE(sees_ground(ground, {200, horizon - 0.01}));
  CHECK(std::isinf(gsd_at(ground, {200, 0})));
  CHECK(gsd_at(ground, {200, 200}) > gsd_at(ground, {200, 400}));
}

TEST_CASE("camera: numbers that are none are refused by name") {
  CameraOptions c;
  c.x_m = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH(ground_from_image(c), Catch::Contains("camera: x_m: nan"));
}
