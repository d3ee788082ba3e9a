// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "geo/distance.h"

namespace imatch {

/// Finds the nearest of many positions on the sphere in logarithmic time (a k-d tree over unit vectors).
class PositionTree {
 public:
  /// Throws Error for a position that is none.
  explicit PositionTree(std::span<const LatLon> positions);

  /// The nearest by great-circle distance, of equally near ones the first; -1 when there are none.
  std::int64_t nearest(LatLon position) const;
  /// How many lie within `radius_m` on a sphere of kEarthRadius_m.
  std::int64_t count_within(LatLon position, double radius_m) const;

 private:
  using Vector = std::array<double, 3>;
  struct Node {
    Vector at;
    std::int64_t index;
  };
  static Vector unit(LatLon position);
  void arrange(std::int64_t begin, std::int64_t end, int axis);
  void find_nearest(const Vector& at, std::int64_t begin, std::int64_t end, int axis, double& best,
                    std::int64_t& found) const;
  std::int64_t count(const Vector& at, double limit, std::int64_t begin, std::int64_t end, int axis) const;

  std::vector<Node> nodes_;  ///< The middle of each range is its root.
};

}  // namespace imatch
