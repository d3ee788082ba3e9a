// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/options.h"
#include "io/mapped_file.h"
#include "mesh/rig.h"

namespace imatch {

struct MeshReadOptions {
  std::string mesh;
  bool normalize_weights = false;
  static constexpr auto fields = std::tuple{
      field("mesh", &MeshReadOptions::mesh, anything(),
            "Name or 0-based number of the mesh that is meant, in a glTF file of several."),
      field("normalize_weights", &MeshReadOptions::normalize_weights, anything(),
            "Divide the weights of a vertex by their sum; without it a sum that differs from 1 by more "
            "than 0.01 is refused.")};
};

/// Reads a mesh by what the file holds (a .obj and a .skn by their names): glTF 2.0 and GLB with skin, clips
/// and material; OBJ and PLY (ASCII, binary of both byte orders) with the colours of their vertices; MuJoCo's
/// .skn, whose bones become nodes without parents. Polygons are cut into fans. Points without triangles are
/// read too. Throws Failure: not_found, not_a_file, unreadable, too_large; bad_format for a damaged file, an
/// index outside, several meshes where `mesh` names none, a compressed one.
RiggedMesh read_mesh(const std::string& path, const MeshReadOptions& options = {});

// The same by kind, over bytes in memory where that is all there is; `name` begins the error messages.
class GltfFile;
RiggedMesh parse_gltf(const GltfFile& file, const MeshReadOptions& options = {});
Mesh parse_obj(std::string_view text, const std::string& name);
Mesh parse_ply(std::string_view bytes, const std::string& name);
RiggedMesh parse_skn(const ByteRange& bytes, const std::string& name);

struct PlyWriteOptions {
  bool ascii = false;
  static constexpr auto fields = std::tuple{
      field("ascii", &PlyWriteOptions::ascii, anything(), "Text in the place of little-endian binary.")};
};

/// The mesh, or points, as PLY: x y z [nx ny nz] [red green blue] and then the scalars as float, and its
/// triangles if there are any. Throws Error as check_mesh does.
std::string ply_bytes(const Mesh& mesh, const PlyWriteOptions& options = {});
/// Throws Failure (unwritable, no_space), and Error.
void write_ply(const std::string& path, const Mesh& mesh, const PlyWriteOptions& options = {});

/// The mesh as GLB 2.0, or points where it has no triangles: with normals, colours, texture coordinates and
/// the first material's colour and picture; skeleton, skin and clips where it has them, as many sets of four
/// joints as the vertex with the most needs. With joints, world = skin, so that the mesh is read back as it
/// was. Throws Error as check_mesh does, and for an empty mesh.
std::string glb_bytes(const RiggedMesh& mesh);
/// Throws Failure (unwritable, no_space), and Error.
void write_glb(const std::string& path, const RiggedMesh& mesh);

}  // namespace imatch
