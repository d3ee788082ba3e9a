// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "geometry/planar.h"

namespace imatch {

inline double dot(Point2 a, Point2 b) {
  return a.x * b.x + a.y * b.y;
}
/// a + times * b.
inline Point2 plus(Point2 a, Point2 b, double times = 1) {
  return {a.x + times * b.x, a.y + times * b.y};
}
/// A quarter turn anticlockwise.
inline Point2 across(Point2 a) {
  return {-a.y, a.x};
}
inline double length(Point2 a) {
  return std::sqrt(dot(a, a));
}
/// Of length one; (1, 0) for zero.
inline Point2 unit(Point2 a) {
  const double l = length(a);
  return l > 0 ? Point2{a.x / l, a.y / l} : Point2{1, 0};
}

}  // namespace imatch
