// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "geometry/planar.h"
#include "render/landscape.h"

namespace imatch {

/// A convex polygon in the flattened frame; side i runs from corner i to i + 1 along `border[i]`.
struct Lot {
  std::vector<Point2> corner;
  std::vector<Border> border;
  double area() const;
  Point2 centre() const;
  /// Unit vector of the longest side.
  Point2 longest_side() const;
  /// Distance inside the nearest side; below 0 outside.
  double inset(Point2 p) const;
};

/// The part of a lot on one side of a line, `border` along the cut: normal · p >= offset, or <= with `side`
/// 0.
Lot cut(const Lot& lot, Point2 normal, double offset, int side, Border border);

}  // namespace imatch
