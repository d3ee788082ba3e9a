// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace imatch {

/// Finds the nearest of many points in space in logarithmic time: a k-d tree, balanced by medians.
class PointTree {
 public:
  using Point = std::array<double, 3>;

  explicit PointTree(const std::vector<Point>& points);

  /// The nearest, of equally near ones the first; -1 when there are none.
  std::int64_t nearest(const Point& at) const;
  /// How many lie within the distance whose square is given.
  std::int64_t count_within(const Point& at, double square_limit) const;

 private:
  struct Node {
    Point at;
    std::int64_t index;
  };
  void arrange(std::int64_t begin, std::int64_t end, int axis);
  void find_nearest(const Point& at, std::int64_t begin, std::int64_t end, int axis, double& best,
                    std::int64_t& found) const;
  std::int64_t count(const Point& at, double limit, std::int64_t begin, std::int64_t end, int axis) const;

  std::vector<Node> nodes_;  ///< The middle of each range is its root.
};

}  // namespace imatch
