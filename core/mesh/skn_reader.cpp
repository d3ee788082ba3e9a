// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "io/byte_reader.h"
#include "mesh/mesh_file.h"

namespace imatch {
namespace {

constexpr std::uint64_t kNameBytes = 40;

std::size_t count_of(ByteReader& reader, const char* what, std::size_t bytes_each) {
  const auto count = reader.number<std::int32_t>();
  if (count < 0 || static_cast<std::size_t>(count) * bytes_each > reader.left())
    reader.fail(fmt::format("{} {}", count, what));
  return static_cast<std::size_t>(count);
}

}  // namespace

/// Little-endian: numbers of vertices, texture coordinates, faces and bones; xyz; uv; corners of faces; a
/// bone: name, position and quaternion (w x y z) at rest, how many vertices it moves, which, and how much.
RiggedMesh parse_skn(const ByteRange& bytes, const std::string& name) {
  ByteReader reader(bytes.bytes, name);
  RiggedMesh result;
  Mesh& mesh = result.mesh;
  const std::size_t vertices = count_of(reader, "vertices", 12),
                    uvs = count_of(reader, "texture coordinates", 8), faces = count_of(reader, "faces", 12),
                    bones = count_of(reader, "bones", kNameBytes + 32);
  if (uvs != 0 && uvs != vertices)
    reader.fail(fmt::format("{} texture coordinates for {} vertices", uvs, vertices));
  for (std::size_t i = 0; i < vertices; ++i) {
    Float3& p = mesh.positions.emplace_back();
    for (float& x : p) x = reader.number<float>();
  }
  for (std::size_t i = 0; i < uvs; ++i) {
    auto& uv = mesh.texture_coordinates.emplace_back();
    for (float& x : uv) x = reader.number<float>();
  }
  for (std::size_t i = 0; i < faces; ++i) {
    auto& triangle = mesh.triangles.emplace_back();
    for (std::int32_t& vertex : triangle) {
      vertex = reader.number<std::int32_t>();
      if (vertex < 0 || static_cast<std::size_t>(vertex) >= vertices)
        reader.fail(fmt::format("a face names vertex {} of {}", vertex, vertices));
    }
  }
  Rig& rig = result.rig;
  std::vector<std::vector<Influence>> of_vertex(vertices);
  for (std::size_t bone = 0; bone < bones; ++bone) {
    const std::string_view label = reader.text(kNameBytes);
    double rest[7];
    for (double& x : rest) x = reader.number<float>();
    RigNode node{std::string(label.substr(0, label.find('\0'))),
                 -1,
                 {{rest[0], rest[1], rest[2]}, {rest[3], rest[4], rest[5], rest[6]}, {1, 1, 1}}};
    const auto bind = inverse(transform_of(node.rest.translation, node.rest.rotation));
    if (!bind) reader.fail("a bone whose rest is not finite");
    rig.nodes.push_back(std::move(node));
    rig.joints.push_back(static_cast<int>(bone));
    rig.inverse_bind.push_back(*bind);
    const std::size_t moved = count_of(reader, "vertices of a bone", 8);
    std::vector<std::size_t> which(moved);
    for (std::size_t& vertex : which) {
      const auto v = reader.number<std::int32_t>();
      if (v < 0 || static_cast<std::size_t>(v) >= vertices)
        reader.fail(fmt::format("a bone names vertex {} of {}", v, vertices));
      vertex = static_cast<std::size_t>(v);
    }
    for (const std::size_t vertex : which)
      of_vertex[vertex].push_back({static_cast<std::int32_t>(bone), reader.number<float>()});
  }
  rig.first_influence.push_back(0);
  for (const auto& list : of_vertex) {
    rig.influences.insert(rig.influences.end(), list.begin(), list.end());
    rig.first_influence.push_back(rig.influences.size());
  }
  if (rig.joints.empty()) rig.first_influence.clear();
  return result;
}

}  // namespace imatch
