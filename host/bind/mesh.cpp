// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include "base/error.h"
#include "bind/lists.h"
#include "bind/mesh_types.h"
#include "binding.h"
#include "mesh/mesh_file.h"
#include "mesh/sampled_pose.h"

namespace imatch::host {
namespace mesh_bindings {

struct PoseOptions {
  std::string clip;
  double time_s = 0;
  double bend_deg = 0;
  std::int64_t seed = 0;
  static constexpr auto fields = std::tuple{
      field("clip", &PoseOptions::clip, anything(),
            "Name of an animation; empty: as the file has it at rest."),
      field("time_s", &PoseOptions::time_s, anything(), "Time in it."),
      field("bend_deg", &PoseOptions::bend_deg, in_range(0, 180),
            "Without a clip: every joint but the first turns by up to so many degrees about a random "
            "axis. Bones without parents (.skn) hang on their nearest neighbours."),
      field("seed", &PoseOptions::seed, at_least(0), "Of those turns.")};
};

/// At `index` a table of PoseOptions, or a tensor of poses: a row of w x y z tx ty tz a node.
RigPose check_pose(lua_State* L, int index, const Rig& rig) {
  if (is<at::Tensor>(L, index)) return pose_of_rows(rig, arg<at::Tensor>(L, index), "poses");
  const auto o = options<PoseOptions>(L, index, "pose");
  if (!o.clip.empty()) return pose_at(rig, o.clip, o.time_s);
  return o.bend_deg > 0 ? sampled_pose(rig, o.bend_deg, static_cast<std::uint64_t>(o.seed)) : rest_pose(rig);
}

at::Tensor tensor_of(const std::vector<Float3>& list) {
  return at::from_blob(const_cast<Float3*>(list.data()), {static_cast<std::int64_t>(list.size()), 3},
                       at::kFloat)
      .clone();
}

int open(lua_State* L) {
  return push(L, read_mesh(check_string(L, 1), options<MeshReadOptions>(L, 2, "mesh.open")));
}

/// The tensor of that name in the table at 1, as float32 or int64 rows of `width`; undefined where there is
/// none.
at::Tensor rows_of(lua_State* L, const char* name, std::int64_t width, at::ScalarType type) {
  lua_getfield(L, 1, name);
  at::Tensor rows;
  if (!lua_isnil(L, -1)) {
    rows = arg<at::Tensor>(L, lua_gettop(L)).cpu().to(type).contiguous();
    if (rows.dim() != 2 || rows.size(1) != width)
      throw Error(fmt::format("mesh.new: {}: expected a tensor of rows of {}", name, width));
  }
  lua_pop(L, 1);
  return rows;
}

template <class T, std::size_t n, class From>
void fill(std::vector<std::array<T, n>>& list, const at::Tensor& rows) {
  if (!rows.defined()) return;
  const auto* from = rows.const_data_ptr<From>();
  list.resize(static_cast<std::size_t>(rows.size(0)));
  for (auto& item : list)
    for (T& x : item) x = static_cast<T>(*from++);
}

int create(lua_State* L) {
  if (!lua_istable(L, 1)) wrong_argument(L, 1, "a table of tensors");
  RiggedMesh result;
  Mesh& mesh = result.mesh;
  fill<float, 3, float>(mesh.positions, rows_of(L, "positions", 3, at::kFloat));
  fill<std::int32_t, 3, std::int64_t>(mesh.triangles, rows_of(L, "triangles", 3, at::kLong));
  fill<float, 3, float>(mesh.normals, rows_of(L, "normals", 3, at::kFloat));
  at::Tensor colours = rows_of(L, "colours", 3, at::kFloat);
  if (colours.defined()) colours = colours.clamp(0, 255).round();
  fill<std::uint8_t, 3, float>(mesh.colours, colours);
  check_mesh(mesh);
  return push(L, std::move(result));
}

int save(lua_State* L) {
  const auto& mesh = arg<RiggedMesh>(L, 1);
  const std::string path = check_string(L, 2);
  const auto o = options<PlyWriteOptions>(L, 3, "Mesh:save");
  if (path.ends_with(".ply"))
    write_ply(path, mesh.mesh, o);
  else if (path.ends_with(".glb"))
    write_glb(path, mesh);
  else
    throw Error(fmt::format("Mesh:save: '{}': expected a name that ends in .ply or .glb", path));
  return push(L, true);
}

int info(lua_State* L) {
  const auto& [mesh, rig] = arg<RiggedMesh>(L, 1);
  std::size_t most = 0;
  for (std::size_t i = 1; i < rig.first_influence.size(); ++i)
    most = std::max(most, rig.first_influence[i] - rig.first_influence[i - 1]);
  Json nodes = Json::array(), clips = Json::array();
  for (const RigNode& node : rig.nodes) nodes.push_back({{"name", node.name}, {"parent", node.parent}});
  for (const RigClip& clip : rig.clips)
    clips.push_back({{"name", clip.name}, {"duration_s", clip.duration_s()}});
  const MeshBox box = box_of(mesh.positions);
  return push(L, Json{{"vertices", mesh.positions.size()},
                      {"triangles", mesh.triangles.size()},
                      {"joints", rig.joints},
                      {"most_influences", most},
                      {"nodes", nodes},
                      {"clips", clips},
                      {"low", box.low},
                      {"high", box.high},
                      {"extent", box.extent()},
                      {"has_normals", !mesh.normals.empty()}});
}

int positions(lua_State* L) {
  return push(L, tensor_of(arg<RiggedMesh>(L, 1).mesh.positions));
}

int triangles(lua_State* L) {
  const auto& list = arg<RiggedMesh>(L, 1).mesh.triangles;
  return push(L, at::from_blob(const_cast<std::array<std::int32_t, 3>*>(list.data()),
                               {static_cast<std::int64_t>(list.size()), 3}, at::kInt)
                     .clone());
}

int normals(lua_State* L) {
  const Mesh& mesh = arg<RiggedMesh>(L, 1).mesh;
  return push(
      L, tensor_of(mesh.normals.empty() ? vertex_normals(mesh.positions, mesh.triangles) : mesh.normals));
}

int posed(lua_State* L) {
  const auto& mesh = arg<RiggedMesh>(L, 1);
  return push(L, tensor_of(posed_positions(mesh, check_pose(L, 2, mesh.rig))));
}

int pose(lua_State* L) {
  const Rig& rig = arg<RiggedMesh>(L, 1).rig;
  const RigPose parts = check_pose(L, 2, rig);
  at::Tensor rows = at::zeros({static_cast<std::int64_t>(parts.size()), 7}, at::kDouble);
  auto* row = rows.mutable_data_ptr<double>();
  for (const auto& [t, q, s] : parts)
    for (const double x : {q.w, q.x, q.y, q.z, t.x, t.y, t.z}) *row++ = x;
  return push(L, rows);
}

int to_string(lua_State* L) {
  const auto& [mesh, rig] = arg<RiggedMesh>(L, 1);
  return push(L, fmt::format("Mesh({} vertices, {} triangles, {} joints, {} clips)", mesh.positions.size(),
                             mesh.triangles.size(), rig.joints.size(), rig.clips.size()));
}

#define IMATCH_EXAMPLE_MESH                                                                               \
  "local m = im.mesh.new { positions = im.tensor.from_table { { 0, 0, 0 }, { 1, 0, 0 }, { 0, 2, 0 } },\n" \
  "  triangles = im.tensor.from_table { { 0, 1, 2 } } }\n"

constexpr Binding kFunctions[] = {
    bind<open>("open", "mesh.open(path [, options]) -> Mesh",
               "Reads glTF 2.0 (.glb, or .gltf with data URIs or files beside it; indexed or not, skins with "
               "any number of "
               "joint sets, clips, material), OBJ, PLY or MuJoCo's .skn. Returns nil, message, code: "
               "not_found, not_a_file, "
               "unreadable, too_large; bad_format for a damaged file, several meshes where `mesh` names "
               "none, weights that do "
               "not add up to 1.",
               "print(im.mesh.open 'no such mesh.glb') --> nil no such mesh.glb: no such file not_found",
               describe_options<MeshReadOptions>),
    bind<create>("new", "mesh.new(arrays) -> Mesh",
                 "A mesh of tensors: positions N x 3, and if there are any triangles M x 3 (0-based), "
                 "normals N x 3, colours "
                 "N x 3 (0 to 255). Without triangles it is points.",
                 IMATCH_EXAMPLE_MESH "print(m) --> Mesh(3 vertices, 1 triangles, 0 joints, 0 clips)"),
};

constexpr Binding kMethods[] = {
    bind<save>("save", "Mesh:save(path [, options]) -> true",
               "Writes .ply (geometry, colours) or .glb (also skeleton, skin, clips, the first material). "
               "Returns nil, message, "
               "code: unwritable, no_space.",
               IMATCH_EXAMPLE_MESH "m:save '/tmp/imatch-lua-examples/triangle.glb'\n"
                                   "print(im.mesh.open '/tmp/imatch-lua-examples/triangle.glb') --> Mesh(3 "
                                   "vertices, 1 triangles, 0 joints, 0 clips)",
               describe_options<PlyWriteOptions>),
    bind<info>("info", "Mesh:info() -> table",
               "vertices, triangles, joints (numbers of nodes), most_influences of a vertex, nodes ({ name, "
               "parent }, -1 for "
               "none), clips ({ name, duration_s }), low and high corner of the box, extent (its largest "
               "side), has_normals.",
               IMATCH_EXAMPLE_MESH "print(m:info().extent) --> 2"),
    bind<positions>("positions", "Mesh:positions() -> Tensor", "N x 3 float32, at rest.",
                    IMATCH_EXAMPLE_MESH "print(m:positions():get(2, 1)) --> 2"),
    bind<triangles>("triangles", "Mesh:triangles() -> Tensor", "M x 3 int32, 0-based.",
                    IMATCH_EXAMPLE_MESH "print(m:triangles():get(0, 2)) --> 2"),
    bind<normals>(
        "normals", "Mesh:normals() -> Tensor",
        "N x 3 float32: those of the file, else the mean of the triangles around, weighted by area.",
        IMATCH_EXAMPLE_MESH "print(m:normals():get(0, 2)) --> 1"),
    bind<posed>("posed", "Mesh:posed([pose]) -> Tensor",
                "N x 3 float32: vertices in the world, skinned as glTF 2.0 has it, or moved with the node "
                "that the mesh hangs "
                "on. `pose`: { clip, time_s } or { bend_deg, seed }, or a tensor of a row w x y z tx ty tz a "
                "node (local "
                "transforms without scale).",
                IMATCH_EXAMPLE_MESH "print(m:posed():get(1, 0)) --> 1", describe_options<PoseOptions>),
    bind<pose>(
        "pose", "Mesh:pose([pose]) -> Tensor",
        "A pose as DualPM's files of poses hold it: nodes x 7 float64, quaternion w x y z and translation.",
        IMATCH_EXAMPLE_MESH "print(m:pose():numel()) --> 0", describe_options<PoseOptions>),
};
#undef IMATCH_EXAMPLE_MESH

constexpr Type kTypes[] = {describe_type<RiggedMesh, to_string>(
    "Triangles or points in space, with the skeleton and the clips that move them.", kMethods)};

}  // namespace mesh_bindings

extern const Module mesh_module;
const Module mesh_module{"mesh", "Meshes and what moves them.", mesh_bindings::kFunctions,
                         mesh_bindings::kTypes};

}  // namespace imatch::host
