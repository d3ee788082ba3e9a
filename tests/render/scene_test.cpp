// SPDX-License-Identifier: Apache-2.0
#include "render/scene.h"

#include <cmath>
#include "catch.h"

#include "base/error.h"
#include "base/options.h"
#include "render/world.h"

using namespace imatch;

namespace {
const World& world() {
  static const World one = [] {
    WorldOptions options;
    options.size_m = 600;
    return World(options);
  }();
  return one;
}
}  // namespace

TEST_CASE("view: latitude and longitude stand for metres") {
  ViewOptions metres;
  metres.x_m = 55;
  metres.y_m = -20;
  ViewOptions degrees;
  const LatLon p = world().frame().latlon_from_local({55, -20});
  degrees.latitude = p.latitude_deg;
  degrees.longitude = p.longitude_deg;
  const View a = take_view(world(), metres), b = take_view(world(), degrees);
  const Point2 centre = b_from_a(a, b)({224, 168});
  CHECK(centre.x == Approx(224).margin(1e-4));
  CHECK(centre.y == Approx(168).margin(1e-4));
  degrees.longitude.reset();
  CHECK_THROWS_WITH(take_view(world(), degrees), "longitude: missing; latitude was given without it");
}

TEST_CASE("view options: one table holds camera and disturbance, and knows slips of the pen") {
  const auto o = parse_options<ViewOptions>(Json{{"altitude_m", 80}, {"noise", 3}, {"latitude", 47}}, "view");
  CHECK(o.altitude_m == 80);
  CHECK(o.noise == 3);
  CHECK(o.latitude == 47);
  CHECK_THROWS_WITH(parse_options<ViewOptions>(Json{{"altitude", 80}}, "view"),
                    Catch::Contains("altitude_m"));
  CHECK_THROWS_AS(parse_options<ViewOptions>(Json{{"width", 0}}, "view"), Error);
}

TEST_CASE("pair: the query is rotated, shifted and disturbed; the truth maps one onto the other") {
  PairOptions o;
  o.place = 2;
  o.rotation_deg = 90;
  o.altitude_m = 80;
  o.reference_altitude_m = 120;
  o.tilt_deg = 12;
  o.noise = 5;
  const ViewPair pair = take_pair(world(), o);
  const Point2 p{100, 200};
  const Point2 there = pair.reference_from_query(p);
  const Point2 back = pair.query_from_reference(there);
  CHECK(back.x == Approx(p.x).margin(1e-6));
  CHECK(back.y == Approx(p.y).margin(1e-6));
  // Rotated clockwise by 90 degrees: the query's up is the reference's right.
  const Point2 middle = pair.reference_from_query({224, 168}), above = pair.reference_from_query({224, 100});
  CHECK(above.x - middle.x > 20);
  CHECK(std::abs(above.y - middle.y) < 1e-6);
  // The middle of the query, tilt and all, is off the place by the shift.
  const double off = 0.1 * 2 * 80 * std::tan(M_PI / 6) * 336 / 448;
  CHECK(std::hypot(middle.x - 224, middle.y - 168) * pair.reference.gsd_m == Approx(off).epsilon(1e-6));
  CHECK(coverage(pair.reference) == 1);
}

TEST_CASE("pair: same options, same pair; places differ and do not depend on the altitude") {
  PairOptions o;
  const ViewPair a = take_pair(world(), o);
  CHECK(take_pair(world(), o).query.image.digest() == a.query.image.digest());
  o.place = 1;
  CHECK(take_pair(world(), o).query.image.digest() != a.query.image.digest());
  const Point2 p = place_on(world(), 3), q = place_on(world(), 4);
  CHECK(std::hypot(p.x - q.x, p.y - q.y) > 20);
  o = {};
  o.altitude_m = 60;
  o.shift = 0;
  const ViewPair low = take_pair(world(), o);
  const Point2 centre = low.reference.ground_from_image({224, 168});
  const Point2 expected = a.reference.ground_from_image({224, 168});
  CHECK(centre.x == Approx(expected.x).margin(1e-9));
  CHECK(centre.y == Approx(expected.y).margin(1e-9));
}

TEST_CASE("pair: a place of one's own, and half of one") {
  PairOptions o;
  o.x_m = -30;
  o.y_m = 44;
  const ViewPair pair = take_pair(world(), o);
  CHECK(pair.reference.ground_from_image({224, 168}).x == Approx(-30).margin(1e-9));
  CHECK(pair.reference.ground_from_image({224, 168}).y == Approx(44).margin(1e-9));
  o.y_m.reset();
  CHECK_THROWS_WITH(take_pair(world(), o), "y_m: missing; x_m was given without it");
}
