// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include "catch.h"

#include "base/error.h"
#include "geo/distance.h"
#include "geo/footprint.h"
#include "geo/local_frame.h"

using namespace imatch;

namespace {
constexpr LatLon kParis{48.8566, 2.3522};
constexpr LatLon kLondon{51.5072, -0.1276};
}  // namespace

TEST_CASE("haversine: quarter and half circles of the stated radius") {
  CHECK(haversine_m({0, 0}, {0, 90}) == Approx(std::numbers::pi / 2 * 6371000).epsilon(1e-14));
  CHECK(haversine_m({90, 0}, {-90, 0}) == Approx(std::numbers::pi * 6371000).epsilon(1e-14));
  CHECK(haversine_m({0, 0}, {0, 90}, {.radius_m = 2}) == Approx(std::numbers::pi).epsilon(1e-14));
  CHECK(haversine_m(kParis, kParis) == 0);
  CHECK(haversine_m({0, 179.5}, {0, -179.5}) == Approx(haversine_m({0, 0}, {0, 1})).epsilon(1e-12));
}

TEST_CASE("geodesic and bearing: pyproj's figures, and Vincenty's line in Australia") {
  CHECK(geodesic_m(kParis, kLondon) == Approx(343896.8912667699).margin(1e-6));
  CHECK(bearing_deg(kParis, kLondon) == Approx(329.951406198097306).margin(1e-9));
  // Flinders Peak to Buninyong, on WGS-84.
  const LatLon flinders{-(37 + 57 / 60.0 + 3.72030 / 3600), 144 + 25 / 60.0 + 29.52440 / 3600};
  const LatLon buninyong{-(37 + 39 / 60.0 + 10.15610 / 3600), 143 + 55 / 60.0 + 35.38390 / 3600};
  CHECK(geodesic_m(flinders, buninyong) == Approx(54972.271).margin(1e-3));
  CHECK(bearing_deg(flinders, buninyong) == Approx(306 + 52 / 60.0 + 5.37 / 3600).margin(1e-5));
}

TEST_CASE("bearing: compass points and nowhere") {
  CHECK(bearing_deg({10, 20}, {11, 20}) == 0);
  CHECK(bearing_deg({0, 20}, {0, 21}) == 90);
  CHECK(bearing_deg({10, 20}, {9, 20}) == 180);
  CHECK(bearing_deg({0, 20}, {0, 19}) == 270);
  CHECK(bearing_deg(kParis, kParis) == 0);
}

TEST_CASE("destination goes where distance and bearing say") {
  for (double bearing = 0; bearing < 360; bearing += 33) {
    const LatLon end = destination(kParis, bearing, 12345);
    CHECK(geodesic_m(kParis, end) == Approx(12345).margin(1e-7));
    CHECK(std::abs(angle_difference_deg(bearing_deg(kParis, end), bearing)) < 1e-9);
  }
}

TEST_CASE("angle difference: the short way round, plus for clockwise") {
  CHECK(angle_difference_deg(10, 350) == 20);
  CHECK(angle_difference_deg(350, 10) == -20);
  CHECK(angle_difference_deg(180, 0) == -180);
  CHECK(angle_difference_deg(0, 180) == -180);
  CHECK(angle_difference_deg(725, 0) == 5);
  for (double a = -720; a <= 720; a += 7.5)
    for (double b = -400; b <= 400; b += 12.5) {
      const double d = angle_difference_deg(a, b);
      REQUIRE(d >= -180);
      REQUIRE(d < 180);
      REQUIRE(std::abs(std::remainder(b + d - a, 360)) < 1e-9);
    }
}

TEST_CASE("positions that are none are refused by name and value") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH(haversine_m({90.5, 0}, kParis),
                    "latitude: 90.5 is not allowed; expected degrees in [-90, 90]");
  CHECK_THROWS_AS(geodesic_m(kParis, {nan, 0}), Error);
  CHECK_THROWS_AS(bearing_deg(kParis, {0, nan}), Error);
  CHECK_THROWS_AS(angle_difference_deg(nan, 0), Error);
  CHECK_THROWS_AS(LocalFrame({95, 0}), Error);
}

TEST_CASE("local frame: metres along the axes, and back") {
  const LocalFrame frame(kParis);
  const Point2 zero = frame.local_from_latlon(kParis);
  CHECK(zero.x == 0);
  CHECK(zero.y == 0);
  const Point2 north = frame.local_from_latlon(destination(kParis, 0, 700));
  CHECK(north.x == Approx(0).margin(1e-6));
  CHECK(north.y == Approx(700).margin(1e-6));
  const Point2 east = frame.local_from_latlon(destination(kParis, 90, 700));
  CHECK(east.x == Approx(700).margin(1e-6));
  CHECK(east.y == Approx(0).margin(1e-6));
  for (double x = -2000; x <= 2000; x += 500)
    for (double y = -2000; y <= 2000; y += 500) {
      const Point2 back = frame.local_from_latlon(frame.latlon_from_local({x, y}));
      REQUIRE(back.x == Approx(x).margin(1e-6));
      REQUIRE(back.y == Approx(y).margin(1e-6));
    }
}

namespace {
/// Earth-centred coordinates of a point on the WGS-84 ellipsoid.
std::array<double, 3> geocentric(LatLon p) {
  constexpr double a = 6378137.0, f = 1 / 298.257223563, e2 = f * (2 - f);
  const double lat = p.latitude_deg * std::numbers::pi / 180, lon = p.longitude_deg * std::numbers::pi / 180;
  const double n = a / std::sqrt(1 - e2 * std::sin(lat) * std::sin(lat));
  return {n * std::cos(lat) * std::cos(lon), n * std::cos(lat) * std::sin(lon), n * (1 - e2) * std::sin(lat)};
}
}  // namespace

TEST_CASE("local frame: the tangent plane of geodesy, to a tenth of a millimetre at a kilometre") {
  const LatLon origin{41.03652, -83.305327};
  const LocalFrame frame(origin);
  const double lat = origin.latitude_deg * std::numbers::pi / 180,
               lon = origin.longitude_deg * std::numbers::pi / 180;
  const auto o = geocentric(origin);
  for (double dlat = -0.008; dlat <= 0.008; dlat += 0.004)
    for (double dlon = -0.01; dlon <= 0.01; dlon += 0.005) {
      const LatLon p{origin.latitude_deg + dlat, origin.longitude_deg + dlon};
      const auto q = geocentric(p);
      const double x = q[0] - o[0], y = q[1] - o[1], z = q[2] - o[2];
      const double east = -std::sin(lon) * x + std::cos(lon) * y;
      const double north = -std::sin(lat) * (std::cos(lon) * x + std::sin(lon) * y) + std::cos(lat) * z;
      const Point2 local = frame.local_from_latlon(p);
      REQUIRE(local.x == Approx(east).margin(1e-4));
      REQUIRE(local.y == Approx(north).margin(1e-4));
    }
}

TEST_CASE("local frame: distances between any two points within a kilometre are true to 0.01 mm") {
  const LocalFrame frame({-33.9, 151.2});
  for (double x = -700; x <= 700; x += 350)
    for (double y = -700; y <= 700; y += 350) {
      const Point2 a{x, y}, b{-y, x / 2 + 100};
      const double flat = std::hypot(a.x - b.x, a.y - b.y);
      REQUIRE(geodesic_m(frame.latlon_from_local(a), frame.latlon_from_local(b)) ==
              Approx(flat).margin(1e-5));
    }
}

TEST_CASE("footprint: a right angle sees twice its height") {
  CHECK(ground_width_m(100, 90) == Approx(200));
  CHECK(altitude_for_width_m(ground_width_m(123, 61.5), 61.5) == Approx(123));
  CHECK_THROWS_WITH(ground_width_m(0, 60), "altitude_m: 0 is not allowed; expected a number above 0");
  CHECK_THROWS_AS(ground_width_m(10, 180), Error);
}
