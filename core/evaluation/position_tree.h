// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "evaluation/point_tree.h"
#include "geo/distance.h"

namespace imatch {

/// Finds the nearest of many positions on the sphere in logarithmic time (a tree over unit vectors).
class PositionTree {
 public:
  /// Throws Error for a position that is none.
  explicit PositionTree(std::span<const LatLon> positions);

  /// The nearest by great-circle distance, of equally near ones the first; -1 when there are none.
  std::int64_t nearest(LatLon position) const;
  /// How many lie within `radius_m` on a sphere of kEarthRadius_m.
  std::int64_t count_within(LatLon position, double radius_m) const;

 private:
  PointTree tree_;
};

}  // namespace imatch
