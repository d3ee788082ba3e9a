// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "geometry/pinhole_camera.h"

namespace imatch {

inline Vector3 cross(Vector3 a, Vector3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

/// The plane of a triangle as the pixels see it: what its corners have to say at the pixel (x + 0.5, y +
/// 0.5), up to a common factor, is x * by_x + y * by_y + at_0 for each of them. Along a ray d of depth 1
/// corner a says d (b x c): Olano and Greer, Triangle Scan Conversion using 2D Homogeneous Coordinates, 1997.
struct TrianglePlane {
  double by_x[3], by_y[3], at_0[3], z[3];

  TrianglePlane(Vector3 a, Vector3 b, Vector3 c, const PinholeCamera& camera) : z{a.z, b.z, c.z} {
    const Vector3 normals[3] = {cross(b, c), cross(c, a), cross(a, b)};
    for (int k = 0; k < 3; ++k) {
      by_x[k] = normals[k].x / camera.fx;
      by_y[k] = normals[k].y / camera.fy;
      at_0[k] = normals[k].z + (0.5 - camera.cx) * by_x[k] + (0.5 - camera.cy) * by_y[k];
    }
  }
};

}  // namespace imatch
