// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "geo/distance.h"
#include "geometry/planar.h"

namespace imatch {

/// Flat metric frame around an origin: x metres east, y metres north. It is the azimuthal equidistant
/// projection of the WGS-84 ellipsoid: distance and direction from the origin are exact, and within 1 km of
/// it every other distance is true to better than 0.01 mm, within 100 km to about 4 m.
class LocalFrame {
 public:
  /// Throws Error for a position that is none.
  explicit LocalFrame(LatLon origin = {}) : origin_(origin) { require_position(origin); }

  LatLon origin() const { return origin_; }
  Point2 local_from_latlon(LatLon position) const;
  LatLon latlon_from_local(Point2 local) const;

 private:
  LatLon origin_;
};

}  // namespace imatch
