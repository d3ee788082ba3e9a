// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace imatch {

struct Vector3 {
  double x = 0, y = 0, z = 0;
};

inline Vector3 operator*(double s, Vector3 v) {
  return {s * v.x, s * v.y, s * v.z};
}
inline Vector3 operator+(Vector3 a, Vector3 b) {
  return {a.x + b.x, a.y + b.y, a.z + b.z};
}
inline Vector3 operator-(Vector3 a, Vector3 b) {
  return {a.x - b.x, a.y - b.y, a.z - b.z};
}
inline double dot(Vector3 a, Vector3 b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}

}  // namespace imatch
