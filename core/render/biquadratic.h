// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "geometry/planar.h"

namespace imatch {

/// A smooth map of the plane by polynomials of degree 2 in each variable: over a few kilometres it stands for
/// any map projection to far below a millimetre, and it is exact for affine maps.
class Biquadratic {
 public:
  /// The one that agrees with `f` at the 3 × 3 points centre + {-1, 0, 1} half × {-1, 0, 1} half; half.x and
  /// half.y above 0.
  template <class F>
  Biquadratic(Point2 centre, Point2 half, const F& f) : centre_(centre), scale_{1 / half.x, 1 / half.y} {
    std::array<std::array<Point2, 3>, 3> rows;  // in each row, a polynomial in x
    for (int j = 0; j < 3; ++j)
      rows[j] = quadratic(f({centre.x - half.x, centre.y + (j - 1) * half.y}),
                          f({centre.x, centre.y + (j - 1) * half.y}),
                          f({centre.x + half.x, centre.y + (j - 1) * half.y}));
    for (int i = 0; i < 3; ++i) {
      const auto column = quadratic(rows[0][i], rows[1][i], rows[2][i]);
      for (int j = 0; j < 3; ++j) c_[j][i] = column[j];
    }
  }

  Point2 operator()(Point2 p) const {
    const double s = (p.x - centre_.x) * scale_.x;
    const double t = (p.y - centre_.y) * scale_.y;
    Point2 sum{};
    for (int j = 2; j >= 0; --j) {
      sum.x = sum.x * t + (c_[j][2].x * s + c_[j][1].x) * s + c_[j][0].x;
      sum.y = sum.y * t + (c_[j][2].y * s + c_[j][1].y) * s + c_[j][0].y;
    }
    return sum;
  }

 private:
  /// Coefficients of 1, t, t² from the values at -1, 0, 1.
  static std::array<Point2, 3> quadratic(Point2 minus, Point2 zero, Point2 plus) {
    return {zero, Point2{(plus.x - minus.x) / 2, (plus.y - minus.y) / 2},
            Point2{(plus.x + minus.x) / 2 - zero.x, (plus.y + minus.y) / 2 - zero.y}};
  }
  Point2 centre_;
  Point2 scale_;
  std::array<std::array<Point2, 3>, 3> c_;
};

}  // namespace imatch
