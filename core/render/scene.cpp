// SPDX-License-Identifier: Apache-2.0
#include "render/scene.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/stop.h"
#include "geo/footprint.h"
#include "render/random.h"

namespace imatch {
namespace {

/// The position that two optional numbers give, if they give one.
std::optional<Point2> both(const char* first, std::optional<double> a, const char* second,
                           std::optional<double> b) {
  if (a.has_value() != b.has_value())
    throw Error(fmt::format("{}: missing; {} was given without it", a ? second : first, a ? first : second));
  if (!a) return std::nullopt;
  return Point2{*a, *b};
}

std::optional<Point2> position(const Ground& ground, std::optional<double> latitude,
                               std::optional<double> longitude) {
  const auto degrees = both("latitude", latitude, "longitude", longitude);
  if (!degrees) return std::nullopt;
  return ground.frame().local_from_latlon({degrees->x, degrees->y});
}

}  // namespace

View take_view(const Ground& ground, const ViewOptions& options) {
  CameraOptions camera = options;
  if (const auto place = position(ground, options.latitude, options.longitude))
    camera.x_m = place->x, camera.y_m = place->y;
  View view = ground.view(camera);
  disturb(view, options);
  return view;
}

Point2 place_on(const Ground& ground, int place) {
  const GroundExtent e = ground.extent();
  const double side = std::min(250.0, 0.35 * std::min(e.east_m - e.west_m, e.north_m - e.south_m));
  const auto inside = [&](double low, double high, double share) {
    return low + side / 2 + share * (high - low - side);
  };
  CameraOptions glance;
  glance.width = glance.height = 64;
  glance.altitude_m = altitude_for_width_m(side, glance.fov_deg);
  // Powers of the inverse plastic number: the additive sequence of lowest known discrepancy in the plane.
  constexpr double kFirst = 0.7548776662466927, kSecond = 0.5698402909980532;
  int found = -1;
  constexpr int kPatience = 200;  // failures in a row
  for (int k = 1, failures = 0; failures < kPatience; ++k) {
    check_stop();
    const auto share = [&](double step) { return 0.5 + step * k - std::floor(0.5 + step * k); };
    const Point2 p{inside(e.west_m, e.east_m, share(kFirst)), inside(e.south_m, e.north_m, share(kSecond))};
    glance.x_m = p.x;
    glance.y_m = p.y;
    if (coverage(ground.view(glance)) < 0.9) {
      ++failures;
      continue;
    }
    failures = 0;
    if (++found == place) return p;
  }
  throw Failure(
      code::kNoResult,
      fmt::format("{}: no place where a square of {:.0f} m is covered to nine tenths", ground.name(), side));
}

ViewPair take_pair(const Ground& ground, const PairOptions& o) {
  CameraOptions reference;
  reference.altitude_m = o.reference_altitude_m.value_or(o.altitude_m);
  reference.heading_deg = o.reference_heading_deg;
  reference.fov_deg = o.fov_deg;
  reference.width = o.width;
  reference.height = o.height;
  auto place = both("x_m", o.x_m, "y_m", o.y_m);
  if (!place) place = position(ground, o.latitude, o.longitude);
  if (!place) place = place_on(ground, o.place);
  reference.x_m = place->x;
  reference.y_m = place->y;

  CameraOptions query = reference;
  query.altitude_m = o.altitude_m;
  query.heading_deg = o.reference_heading_deg + o.rotation_deg;
  query.tilt_deg = o.tilt_deg;
  query.roll_deg = o.roll_deg;
  // The middle of the tilted view, not the camera, stands over the place.
  const Point2 looks_at = ground_from_image(query)({o.width / 2.0, o.height / 2.0});
  const double off = o.shift * ground_width_m(o.altitude_m, o.fov_deg) * o.height / o.width;
  Random random(hash_of(500, static_cast<std::uint64_t>(o.place)));
  Point2 away{random.between(-1, 1), random.between(-1, 1)};
  const double length = std::max(1e-9, std::hypot(away.x, away.y));
  query.x_m += place->x - looks_at.x + off * away.x / length;
  query.y_m += place->y - looks_at.y + off * away.y / length;

  ViewPair pair{ground.view(query), ground.view(reference), {}, {}};
  pair.query_from_reference = b_from_a(pair.reference, pair.query);
  pair.reference_from_query = b_from_a(pair.query, pair.reference);
  disturb(pair.query, o);
  return pair;
}

}  // namespace imatch
