// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "geometry/pinhole_camera.h"
#include "mesh/mesh.h"

namespace imatch {

/// Where the picture plane lies and what is looked at.
struct RasterFrame {
  int width = 0, height = 0;
  double near_z = 0, far_z = 0;
};

/// Points in a pixel, in units of 1/4096 px.
inline constexpr int kSubpixelBits = 12, kSubpixels = 1 << kSubpixelBits;

/// A triangle, or part of one behind which the near plane cuts off the rest, as it lies on the picture plane:
/// corners rounded to 1/4096 px, in the order in which its area is positive.
struct ScreenTriangle {
  std::array<std::int32_t, 3> x, y;
  std::int32_t source = 0;  ///< Index of the triangle of the mesh.
  bool turned = false;      ///< Whether two corners changed places: it faces the other way.
  // Pixels whose centres its box holds, within the picture: columns first_x ... last_x and so on.
  std::int32_t first_x = 0, last_x = 0, first_y = 0, last_y = 0;
};

struct ScreenTriangles {
  std::vector<ScreenTriangle>
      list;                    ///< In the order of the mesh; those that hold no pixel centre are left out.
  std::size_t not_finite = 0;  ///< Triangles with a corner that is NaN or infinite.
};

/// Corners of the mesh in the camera frame (x right, y down, z forward), put on the picture plane. What lies
/// before near_z is cut off. Uses all threads; the result does not depend on their number.
ScreenTriangles screen_triangles(const std::vector<Vector3>& in_camera,
                                 const std::vector<std::array<std::int32_t, 3>>& triangles,
                                 const PinholeCamera& camera, const RasterFrame& frame);

}  // namespace imatch
