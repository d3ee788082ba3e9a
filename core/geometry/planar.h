// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

namespace imatch {

struct Point2 {
  double x = 0;
  double y = 0;
};

/// 2×3, row-major: (x, y) -> (m0 x + m1 y + m2, m3 x + m4 y + m5).
struct Affine2 {
  std::array<double, 6> m{1, 0, 0, 0, 1, 0};
  Point2 operator()(Point2 p) const {
    return {m[0] * p.x + m[1] * p.y + m[2], m[3] * p.x + m[4] * p.y + m[5]};
  }
};

/// 3×3, row-major, acting on (x, y, 1).
struct Homography {
  std::array<double, 9> m{1, 0, 0, 0, 1, 0, 0, 0, 1};
  /// Third homogeneous coordinate of the image of p: its sign tells the sides of the horizon, on which it is
  /// 0.
  double depth(Point2 p) const { return m[6] * p.x + m[7] * p.y + m[8]; }
  Point2 operator()(Point2 p) const {
    const double w = depth(p);
    return {(m[0] * p.x + m[1] * p.y + m[2]) / w, (m[3] * p.x + m[4] * p.y + m[5]) / w};
  }
  /// Throws Error when singular.
  Homography inverse() const;
  /// First `first`, then this.
  Homography after(const Homography& first) const;
};

}  // namespace imatch
