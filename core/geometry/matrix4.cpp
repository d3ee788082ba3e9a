// SPDX-License-Identifier: Apache-2.0
#include "geometry/matrix4.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace imatch {
namespace {

Quaternion normalised(Quaternion q) {
  const double length = std::sqrt(q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z);
  if (!(length > 0)) return {};
  return {q.w / length, q.x / length, q.y / length, q.z / length};
}

}  // namespace

Matrix4 operator*(const Matrix4& a, const Matrix4& b) {
  Matrix4 product;
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) {
      double sum = 0;
      for (int k = 0; k < 4; ++k) sum += a(i, k) * b(k, j);
      product(i, j) = sum;
    }
  return product;
}

std::optional<Matrix4> inverse(const Matrix4& matrix) {
  Matrix4 left = matrix, right;
  for (int column = 0; column < 4; ++column) {  // Gauss and Jordan, with the largest pivot of the column
    int pivot = column;
    for (int row = column + 1; row < 4; ++row)
      if (std::abs(left(row, column)) > std::abs(left(pivot, column))) pivot = row;
    const double value = left(pivot, column);
    if (!(std::abs(value) > 0) || !std::isfinite(value)) return std::nullopt;
    for (int k = 0; k < 4; ++k) {
      std::swap(left(pivot, k), left(column, k));
      std::swap(right(pivot, k), right(column, k));
    }
    for (int k = 0; k < 4; ++k) left(column, k) /= value, right(column, k) /= value;
    for (int row = 0; row < 4; ++row) {
      const double factor = left(row, column);
      if (row == column || factor == 0) continue;
      for (int k = 0; k < 4; ++k) {
        left(row, k) -= factor * left(column, k);
        right(row, k) -= factor * right(column, k);
      }
    }
  }
  return right;
}

Matrix4 transform_of(Vector3 t, Quaternion rotation, Vector3 s) {
  const auto [w, x, y, z] = normalised(rotation);
  return {{(1 - 2 * (y * y + z * z)) * s.x, 2 * (x * y - w * z) * s.y, 2 * (x * z + w * y) * s.z, t.x,
           2 * (x * y + w * z) * s.x, (1 - 2 * (x * x + z * z)) * s.y, 2 * (y * z - w * x) * s.z, t.y,
           2 * (x * z - w * y) * s.x, 2 * (y * z + w * x) * s.y, (1 - 2 * (x * x + y * y)) * s.z, t.z, 0, 0,
           0, 1}};
}

TransformParts parts_of(const Matrix4& matrix) {
  const auto column = [&](int j) { return Vector3{matrix(0, j), matrix(1, j), matrix(2, j)}; };
  Vector3 x = column(0), y = column(1), z = column(2);
  Vector3 scale{std::sqrt(dot(x, x)), std::sqrt(dot(y, y)), std::sqrt(dot(z, z))};
  const double determinant =
      x.x * (y.y * z.z - z.y * y.z) - y.x * (x.y * z.z - z.y * x.z) + z.x * (x.y * y.z - y.y * x.z);
  if (determinant < 0) scale.x = -scale.x;
  const auto unit = [](Vector3 v, double length) { return length != 0 ? (1 / length) * v : v; };
  x = unit(x, scale.x), y = unit(y, scale.y), z = unit(z, scale.z);
  // The largest of the four is divided by: Shepperd, J. Guidance and Control 1 (1978).
  const double trace = x.x + y.y + z.z;
  Quaternion q;
  if (trace >= std::max({x.x, y.y, z.z}))
    q = {1 + trace, y.z - z.y, z.x - x.z, x.y - y.x};
  else if (x.x >= std::max(y.y, z.z))
    q = {y.z - z.y, 1 + x.x - y.y - z.z, x.y + y.x, z.x + x.z};
  else if (y.y >= z.z)
    q = {z.x - x.z, x.y + y.x, 1 + y.y - x.x - z.z, y.z + z.y};
  else
    q = {x.y - y.x, z.x + x.z, y.z + z.y, 1 + z.z - x.x - y.y};
  return {column(3), normalised(q), scale};
}

Quaternion slerp(Quaternion a, Quaternion b, double t) {
  a = normalised(a), b = normalised(b);
  double cosine = a.w * b.w + a.x * b.x + a.y * b.y + a.z * b.z;
  if (cosine < 0) {
    cosine = -cosine;
    b = {-b.w, -b.x, -b.y, -b.z};
  }
  double from = 1 - t, to = t;
  if (cosine < 1 - 1e-9) {  // else the chord is the arc
    const double angle = std::acos(cosine), sine = std::sin(angle);
    from = std::sin((1 - t) * angle) / sine;
    to = std::sin(t * angle) / sine;
  }
  return normalised(
      {from * a.w + to * b.w, from * a.x + to * b.x, from * a.y + to * b.y, from * a.z + to * b.z});
}

}  // namespace imatch
