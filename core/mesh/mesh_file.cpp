// SPDX-License-Identifier: Apache-2.0
#include "mesh/mesh_file.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "mesh/gltf_file.h"

namespace imatch {
namespace {

constexpr std::size_t kLargestMesh = std::size_t{1} << 32;

bool ends_in(const std::string& path, std::string_view ending) {
  return path.size() >= ending.size() &&
         std::equal(ending.begin(), ending.end(), path.end() - static_cast<std::ptrdiff_t>(ending.size()),
                    [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + ('a' - 'A') : b); });
}

}  // namespace

RiggedMesh read_mesh(const std::string& path, const MeshReadOptions& options) {
  if (ends_in(path, ".obj")) return {parse_obj(read_file(path, kLargestMesh), path), {}};
  if (ends_in(path, ".skn")) return parse_skn(own_bytes(read_file(path, kLargestMesh)), path);
  if (ends_in(path, ".gltf") || ends_in(path, ".glb")) return parse_gltf(GltfFile(path), options);
  const std::string bytes = read_file(path, kLargestMesh);
  if (bytes.starts_with("ply")) return {parse_ply(bytes, path), {}};
  if (bytes.starts_with("glTF")) return parse_gltf(GltfFile(path), options);
  throw Failure(code::kBadFormat,
                path + ": no mesh that is read here; expected .glb, .gltf, .obj, .ply or .skn");
}

}  // namespace imatch
