// SPDX-License-Identifier: Apache-2.0
#include "geo/distance.h"

#include <fmt/format.h>
#include <geodesic.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace imatch {
namespace {

const geod_geodesic& wgs84() {
  static const geod_geodesic ellipsoid = [] {
    geod_geodesic g;
    geod_init(&g, 6378137.0, 1 / 298.257223563);
    return g;
  }();
  return ellipsoid;
}

void require_finite(const char* name, double value) {
  if (!std::isfinite(value))
    throw Error(fmt::format("{}: {} is not allowed; expected a finite number", name, value));
}

}  // namespace

void require_position(LatLon p) {
  if (!(p.latitude_deg >= -90 && p.latitude_deg <= 90))
    throw Error(fmt::format("latitude: {} is not allowed; expected degrees in [-90, 90]", p.latitude_deg));
  require_finite("longitude", p.longitude_deg);
}

double haversine_m(LatLon a, LatLon b, const HaversineOptions& options) {
  require_position(a);
  require_position(b);
  const double half_lat = std::sin((b.latitude_deg - a.latitude_deg) * kRadiansPerDegree / 2);
  const double half_lon = std::sin((b.longitude_deg - a.longitude_deg) * kRadiansPerDegree / 2);
  const double h = half_lat * half_lat + std::cos(a.latitude_deg * kRadiansPerDegree) *
                                             std::cos(b.latitude_deg * kRadiansPerDegree) * half_lon *
                                             half_lon;
  return 2 * options.radius_m * std::asin(std::sqrt(std::min(h, 1.0)));
}

double geodesic_m(LatLon a, LatLon b) {
  require_position(a);
  require_position(b);
  double distance = 0;
  geod_inverse(&wgs84(), a.latitude_deg, a.longitude_deg, b.latitude_deg, b.longitude_deg, &distance, nullptr,
               nullptr);
  return distance;
}

double bearing_deg(LatLon a, LatLon b) {
  require_position(a);
  require_position(b);
  double distance = 0;
  double azimuth = 0;
  geod_inverse(&wgs84(), a.latitude_deg, a.longitude_deg, b.latitude_deg, b.longitude_deg, &distance,
               &azimuth, nullptr);
  if (distance == 0) return 0;
  const double wrapped = azimuth < 0 ? azimuth + 360 : azimuth;
  return wrapped >= 360 ? 0 : wrapped + 0.0;  // + 0.0 turns -0 into 0
}

LatLon destination(LatLon a, double bearing, double distance_m) {
  require_position(a);
  require_finite("bearing", bearing);
  require_finite("distance", distance_m);
  LatLon end;
  geod_direct(&wgs84(), a.latitude_deg, a.longitude_deg, bearing, distance_m, &end.latitude_deg,
              &end.longitude_deg, nullptr);
  return end;
}

double angle_difference_deg(double a_deg, double b_deg) {
  require_finite("angle", a_deg);
  require_finite("angle", b_deg);
  const double wrapped = std::remainder(a_deg - b_deg, 360.0);
  return wrapped >= 180 ? wrapped - 360 : wrapped + 0.0;
}

}  // namespace imatch
