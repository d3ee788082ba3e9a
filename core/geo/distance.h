// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <numbers>

#include "base/field.h"

namespace imatch {

inline constexpr double kRadiansPerDegree = std::numbers::pi / 180;

/// Geographic position on WGS-84. Latitude in [-90, 90]; longitude any finite number, 190 means -170.
struct LatLon {
  double latitude_deg = 0;
  double longitude_deg = 0;
};

/// Throws Error unless both are finite and the latitude is in [-90, 90].
void require_position(LatLon position);

/// Mean radius used by haversine_m unless another is given.
inline constexpr double kEarthRadius_m = 6371000.0;

struct HaversineOptions {
  double radius_m = kEarthRadius_m;
  static constexpr auto fields = std::tuple{
      field("radius_m", &HaversineOptions::radius_m, in_range(1, 1e9), "Radius of the sphere, m.")};
};

/// Great-circle distance on a sphere, metres.
double haversine_m(LatLon a, LatLon b, const HaversineOptions& options = {});

/// Length of the geodesic on the WGS-84 ellipsoid, metres (Karney 2013, as PROJ computes it; about 15 nm).
double geodesic_m(LatLon a, LatLon b);

/// Azimuth at `a` of the geodesic to `b`, degrees clockwise from true north in [0, 360); 0 when a = b.
double bearing_deg(LatLon a, LatLon b);

/// The point reached from `a` along the geodesic that leaves it at `bearing` after `distance` metres.
LatLon destination(LatLon a, double bearing_deg, double distance_m);

/// a - b wrapped into [-180, 180): how far to turn clockwise from heading b to heading a.
double angle_difference_deg(double a_deg, double b_deg);

}  // namespace imatch
