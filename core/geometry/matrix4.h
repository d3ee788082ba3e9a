// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>

#include "geometry/vector3.h"

namespace imatch {

/// An affine or projective map of space, row-major: p' = M (p, 1).
struct Matrix4 {
  std::array<double, 16> m{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};

  double operator()(int row, int column) const { return m[static_cast<std::size_t>(4 * row + column)]; }
  double& operator()(int row, int column) { return m[static_cast<std::size_t>(4 * row + column)]; }
  /// The image of a point under an affine map.
  Vector3 operator()(Vector3 p) const {
    return {m[0] * p.x + m[1] * p.y + m[2] * p.z + m[3], m[4] * p.x + m[5] * p.y + m[6] * p.z + m[7],
            m[8] * p.x + m[9] * p.y + m[10] * p.z + m[11]};
  }
};

/// First b, then a.
Matrix4 operator*(const Matrix4& a, const Matrix4& b);

/// None for a matrix without an inverse.
std::optional<Matrix4> inverse(const Matrix4& matrix);

/// A unit quaternion is a rotation; others are normalised where they are used.
struct Quaternion {
  double w = 1, x = 0, y = 0, z = 0;
};

/// Scales, then rotates, then shifts. A quaternion of length 0 stands for no rotation.
Matrix4 transform_of(Vector3 translation, Quaternion rotation, Vector3 scale = {1, 1, 1});

/// Translation, rotation and scale whose transform_of is `matrix`, as far as it has no shear.
struct TransformParts {
  Vector3 translation;
  Quaternion rotation;
  Vector3 scale{1, 1, 1};
};
TransformParts parts_of(const Matrix4& matrix);

/// Along the shorter arc from a (t = 0) to b (t = 1), at constant speed.
Quaternion slerp(Quaternion a, Quaternion b, double t);

}  // namespace imatch
