// SPDX-License-Identifier: Apache-2.0
#include "mesh/mesh.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace imatch {

float MeshBox::extent() const {
  return std::max({high[0] - low[0], high[1] - low[1], high[2] - low[2]});
}

float MeshBox::diagonal() const {
  return std::hypot(high[0] - low[0], high[1] - low[1], high[2] - low[2]);
}

MeshBox box_of(const std::vector<Float3>& positions) {
  MeshBox box;
  bool first = true;
  for (const Float3& p : positions) {
    if (!std::isfinite(p[0]) || !std::isfinite(p[1]) || !std::isfinite(p[2])) continue;
    if (std::exchange(first, false)) box.low = box.high = p;
    for (std::size_t k = 0; k < 3; ++k) {
      box.low[k] = std::min(box.low[k], p[k]);
      box.high[k] = std::max(box.high[k], p[k]);
    }
  }
  return box;
}

std::vector<Float3> vertex_normals(const std::vector<Float3>& positions,
                                   const std::vector<std::array<std::int32_t, 3>>& triangles) {
  std::vector<std::array<double, 3>> sums(positions.size());
  for (const auto& triangle : triangles) {
    const Float3 &a = positions[static_cast<std::size_t>(triangle[0])],
                 &b = positions[static_cast<std::size_t>(triangle[1])],
                 &c = positions[static_cast<std::size_t>(triangle[2])];
    double u[3], v[3];
    for (std::size_t k = 0; k < 3; ++k) u[k] = double{b[k]} - a[k], v[k] = double{c[k]} - a[k];
    const double n[3] = {u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]};
    for (const std::int32_t vertex : triangle)
      for (std::size_t k = 0; k < 3; ++k) sums[static_cast<std::size_t>(vertex)][k] += n[k];
  }
  std::vector<Float3> normals(positions.size());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const double length = std::hypot(sums[i][0], sums[i][1], sums[i][2]);
    if (!(length > 0) || !std::isfinite(length)) continue;
    for (std::size_t k = 0; k < 3; ++k) normals[i][k] = static_cast<float>(sums[i][k] / length);
  }
  return normals;
}

void check_mesh(const Mesh& mesh) {
  const auto require = [](const char* what, std::size_t count, std::size_t expected, const char* of) {
    if (count != 0 && count != expected)
      throw Error(
          fmt::format("mesh: {} {}; expected none, or one for each of the {} {}", count, what, expected, of));
  };
  const std::size_t vertices = mesh.positions.size();
  require("normals", mesh.normals.size(), vertices, "vertices");
  require("colours", mesh.colours.size(), vertices, "vertices");
  require("texture coordinates", mesh.texture_coordinates.size(), vertices, "vertices");
  require("materials of triangles", mesh.material_of.size(), mesh.triangles.size(), "triangles");
  for (const auto& [name, values] : mesh.scalars) require(name.c_str(), values.size(), vertices, "vertices");
  for (const auto& triangle : mesh.triangles)
    for (const std::int32_t vertex : triangle)
      if (vertex < 0 || static_cast<std::size_t>(vertex) >= vertices)
        throw Error(fmt::format("mesh: a triangle names vertex {} of {}", vertex, vertices));
  for (const std::int32_t material : mesh.material_of)
    if (material < -1 || material >= static_cast<std::int32_t>(mesh.materials.size()))
      throw Error(fmt::format("mesh: a triangle names material {} of {}", material, mesh.materials.size()));
}

}  // namespace imatch
