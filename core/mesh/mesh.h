// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "image/image.h"

namespace imatch {

using Float3 = std::array<float, 3>;

/// What a triangle looks like: a colour, times a picture where there is one. Linear factors, in [0, 1].
struct MeshMaterial {
  std::array<float, 4> base_colour{1, 1, 1, 1};
  std::shared_ptr<const Image> texture;  ///< Row 0 at v = 0, as glTF has it.
};

/// Triangles in space, or points where there are no triangles. What is said of each vertex is empty or has
/// one entry a vertex.
struct Mesh {
  std::vector<Float3> positions;
  std::vector<std::array<std::int32_t, 3>> triangles;  ///< Indices of vertices, each below their number.
  std::vector<Float3> normals;                         ///< Of length 1.
  std::vector<std::array<std::uint8_t, 3>> colours;    ///< RGB.
  std::vector<std::array<float, 2>> texture_coordinates;
  std::vector<MeshMaterial> materials;
  std::vector<std::int32_t> material_of;  ///< One a triangle, -1 for none; or empty.
  /// More numbers a vertex, by name: {"confidence", ...}, {"layer", ...}. Kept by PLY files alone.
  std::vector<std::pair<std::string, std::vector<float>>> scalars;
};

/// Smallest and largest coordinates of the finite positions; zeros where there is none.
struct MeshBox {
  Float3 low{}, high{};
  /// The largest of the three sides.
  float extent() const;
  float diagonal() const;
};
MeshBox box_of(const std::vector<Float3>& positions);

/// One a vertex: the sum of the normals of its triangles, weighted by their areas, of length 1; zeros for a
/// vertex of no triangle that has an area.
std::vector<Float3> vertex_normals(const std::vector<Float3>& positions,
                                   const std::vector<std::array<std::int32_t, 3>>& triangles);

/// Throws Error for lists of other lengths than one entry a vertex (or triangle) and indices outside.
void check_mesh(const Mesh& mesh);

}  // namespace imatch
