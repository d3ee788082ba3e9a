// SPDX-License-Identifier: Apache-2.0
#include "geo/local_frame.h"

#include <cmath>

namespace imatch {

Point2 LocalFrame::local_from_latlon(LatLon position) const {
  const double distance = geodesic_m(origin_, position);
  const double azimuth = bearing_deg(origin_, position) * kRadiansPerDegree;
  return {distance * std::sin(azimuth), distance * std::cos(azimuth)};
}

LatLon LocalFrame::latlon_from_local(Point2 local) const {
  return destination(origin_, std::atan2(local.x, local.y) / kRadiansPerDegree, std::hypot(local.x, local.y));
}

}  // namespace imatch
