// SPDX-License-Identifier: Apache-2.0
#include "geometry/planar.h"

#include <cmath>

#include "base/error.h"

namespace imatch {

Homography Homography::inverse() const {
  const auto& a = m;
  Homography adjugate{{a[4] * a[8] - a[5] * a[7], a[2] * a[7] - a[1] * a[8], a[1] * a[5] - a[2] * a[4],
                       a[5] * a[6] - a[3] * a[8], a[0] * a[8] - a[2] * a[6], a[2] * a[3] - a[0] * a[5],
                       a[3] * a[7] - a[4] * a[6], a[1] * a[6] - a[0] * a[7], a[0] * a[4] - a[1] * a[3]}};
  const double determinant = a[0] * adjugate.m[0] + a[1] * adjugate.m[3] + a[2] * adjugate.m[6];
  if (!std::isfinite(determinant) || determinant == 0) throw Error("homography: singular, it has no inverse");
  for (double& value : adjugate.m) value /= determinant;
  return adjugate;
}

Homography Homography::after(const Homography& first) const {
  Homography product{};
  for (int r = 0; r < 3; ++r)
    for (int c = 0; c < 3; ++c) {
      double sum = 0;
      for (int k = 0; k < 3; ++k) sum += m[3 * r + k] * first.m[3 * k + c];
      product.m[3 * r + c] = sum;
    }
  return product;
}

}  // namespace imatch
