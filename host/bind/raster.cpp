// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/error.h"
#include "bind/mesh_types.h"
#include "binding.h"
#include "raster/dualpm_scene.h"
#include "raster/mesh_samples.h"
#include "raster/mesh_view.h"
#include "raster/sample_file.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<MeshView> = "MeshView";
template <>
inline std::size_t native_bytes(const MeshView& view) {
  return view.in_camera.size() * sizeof(Vector3) + view.fragments.triangle.nbytes() +
         view.fragments.weights.nbytes() + view.fragments.depth.nbytes();
}

namespace raster_bindings {

int view(lua_State* L) {
  const auto mesh = shared_arg<RiggedMesh>(L, 1);
  const PinholeCamera camera = pinhole_camera(options<PinholeOptions>(L, 2, "camera"));
  const auto o = options<MeshViewOptions>(L, 3, "raster.view");
  const Rig& rig = mesh->rig;
  const RigPose pose = is<at::Tensor>(L, 4) ? pose_of_rows(rig, arg<at::Tensor>(L, 4), "poses")
                       : o.clip.empty()     ? rest_pose(rig)
                                            : pose_at(rig, o.clip, o.time_s);
  return push(L, view_of(mesh, posed_positions(*mesh, pose), camera, o));
}

int cameras(lua_State* L) {
  const auto o = options<MeshSampleOptions>(L, 2, "raster.cameras options");
  Json list = Json::array();
  const auto width = static_cast<int>(check_integer(L, 3, 1, 65536));
  const auto height = static_cast<int>(check_integer(L, 4, 1, 65536));
  for (const PinholeCamera& camera : cameras_around(arg<RiggedMesh>(L, 1), o, width, height))
    list.push_back(options_to_json(pinhole_options(camera)));
  return push(L, list);
}

int drawn_pose(lua_State* L) {
  const DrawnPose drawn = imatch::drawn_pose(arg<RiggedMesh>(L, 1).rig,
                                             options<MeshSampleOptions>(L, 2, "raster.drawn_pose options"),
                                             static_cast<int>(check_integer(L, 3, 1, 1e7)));
  Json pose = Json::object();
  if (drawn.bend_deg > 0) pose = {{"bend_deg", drawn.bend_deg}, {"seed", drawn.seed}};
  if (!drawn.clip.empty()) pose = {{"clip", drawn.clip}, {"time_s", drawn.time_s}};
  return push(L, pose);
}

int dualpm_scene(lua_State* L) {
  const DualPmScene scene = read_dualpm_scene(check_string(L, 1), check_string(L, 2),
                                              static_cast<int>(check_integer(L, 3, 1, 16384)));
  return push(L, scene.mesh) + push(L, options_to_json(pinhole_options(scene.camera))) + push(L, scene.poses);
}

int read_sample(lua_State* L) {
  return push(L, dense_sample(imatch::read_sample(check_string(L, 1))));
}

int write_sample(lua_State* L) {
  imatch::write_sample(check_string(L, 1), sparse_sample(arg<at::Tensor>(L, 2)));
  return push(L, true);
}

int points(lua_State* L) {
  return push(L, point_layers(arg<MeshView>(L, 1), is_absent(L, 2) ? "opengl" : check_string(L, 2)));
}
int normal_points(lua_State* L) {
  return push(L, normal_layers(arg<MeshView>(L, 1)));
}
int depth(lua_State* L) {
  return push(L, arg<MeshView>(L, 1).fragments.depth);
}
int counts(lua_State* L) {
  return push(L, layer_counts(arg<MeshView>(L, 1)));
}
int image(lua_State* L) {
  return push(L, rendered(arg<MeshView>(L, 1), options<RenderLook>(L, 2, "MeshView:image")));
}
int mask(lua_State* L) {
  return push(L, mask_of(arg<MeshView>(L, 1),
                         is_absent(L, 2) ? 255 : static_cast<std::uint8_t>(check_integer(L, 2, 1, 255))));
}
int normals(lua_State* L) {
  return push(L, normal_picture(arg<MeshView>(L, 1)));
}
int is_inside(lua_State* L) {
  return push(L, camera_is_inside(arg<MeshView>(L, 1)));
}
int left_out(lua_State* L) {
  return push(L, arg<MeshView>(L, 1).fragments.not_finite);
}

int to_string(lua_State* L) {
  const auto& v = arg<MeshView>(L, 1);
  return push(L,
              fmt::format("MeshView({}x{}, {} layers)", v.options.width, v.options.height, v.options.layers));
}

#define IMATCH_EXAMPLE_VIEW                                                                                  \
  "local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },\n" \
  "  triangles = im.tensor.from_table { { 0, 1, 2 } } }\n"                                                   \
  "local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 " \
  "})\n"

constexpr Binding kFunctions[] = {
    bind<view>("view", "raster.view(mesh, camera [, options [, poses]]) -> MeshView",
               "The mesh as a pinhole camera sees it: all surfaces along the ray of each pixel, near to far. "
               "A pixel on an edge "
               "belongs to exactly one of the triangles there; surfaces of one pixel and equal float32 depth "
               "count once if both face "
               "the camera or both face away. No culling. Triangles with corners that are not finite are "
               "left out. `poses`: a row of w "
               "x y z tx ty tz a node, in the place of clip and time.",
               IMATCH_EXAMPLE_VIEW "print(v) --> MeshView(16x16, 2 layers)",
               describe_options<MeshViewOptions>),
    bind<cameras>(
        "cameras", "raster.cameras(mesh, options, width, height) -> list of cameras",
        "The cameras of `count` samples: spread around the middle of the mesh at rest, whose y is up; "
        "pictures of width x height px.",
        IMATCH_EXAMPLE_VIEW "print(#im.raster.cameras(m, { count = 5 }, 64, 64)) --> 5",
        describe_options<MeshSampleOptions>),
    bind<drawn_pose>(
        "drawn_pose", "raster.drawn_pose(mesh, options, number) -> table",
        "How sample `number`, from 1, stands: { clip, time_s }, { bend_deg, seed } as Mesh:pose takes it, or "
        "an empty table at rest. Options as those of raster.cameras.",
        IMATCH_EXAMPLE_VIEW "print(next(im.raster.drawn_pose(m, {}, 1))) --> nil"),
    bind<dualpm_scene>(
        "dualpm_scene", "raster.dualpm_scene(folder, id, size) -> string, camera, Tensor",
        "A sample of a data set as DualPM's code reads it, for a picture of `size` px: the path of the mesh "
        "(shapes/, named in metadata/), the camera (cameras/, focal length in metadata/) and the rows of "
        "poses/ as raster.view takes them. Returns nil, message, code: not_found, unreadable, bad_format.",
        "print(im.raster.dualpm_scene('none', '1', 64)) "
        "--> nil none/metadata/1_metadata.txt: no such file not_found"),
    bind<read_sample>("read_sample", "raster.read_sample(path) -> Tensor",
                      "The dense array of an .npz of `indices`, `values` and `shape`. Returns nil, message, "
                      "code: not_found, "
                      "not_a_file, unreadable; bad_format for an index outside of its shape and the like.",
                      "print(im.raster.read_sample 'none.npz') --> nil none.npz: no such file not_found"),
    bind<write_sample>(
        "write_sample", "raster.write_sample(path, points) -> true",
        "Writes what of an array with four axes, the last of 7, has another last channel than 0: values N x "
        "7 "
        "float32, indices N x 3 (uint8, or uint16 where an axis has 255 or more), shape. Returns nil, "
        "message, "
        "code: unwritable, no_space.",
        IMATCH_EXAMPLE_VIEW
        "im.raster.write_sample('/tmp/imatch-lua-examples/v.npz', v:points())\n"
        "print(im.raster.read_sample('/tmp/imatch-lua-examples/v.npz'):max_difference(v:points())) --> 0"),
};

constexpr Binding kMethods[] = {
    bind<points>("points", "MeshView:points([axes]) -> Tensor",
                 "H x W x L x 7 float32: xyz at rest, xyz as posed in the camera frame with the depth of the "
                 "world's origin "
                 "taken away from z, and 1; zeros where there is nothing. axes: 'opengl' (x right, y up, z "
                 "backwards, the "
                 "default) or 'opencv'.",
                 IMATCH_EXAMPLE_VIEW "print(#v:points():shape(), v:points():get(8, 8, 0, 6)) --> 4 1"),
    bind<normal_points>("normal_points", "MeshView:normal_points() -> Tensor",
                        "L x H x W x 7 float32: xyz and normal at rest, and 1.",
                        IMATCH_EXAMPLE_VIEW "print(v:normal_points():get(0, 8, 8, 6)) --> 1"),
    bind<depth>("depth", "MeshView:depth() -> Tensor",
                "H x W x L float32: z along the optical axis, 0 where there is nothing.",
                IMATCH_EXAMPLE_VIEW "print(v:depth():get(8, 8, 0)) --> 1"),
    bind<counts>("counts", "MeshView:counts() -> Tensor",
                 "H x W int64: surfaces that are kept at each pixel.",
                 IMATCH_EXAMPLE_VIEW "print(v:counts():max()) --> 1"),
    bind<image>("image", "MeshView:image([options]) -> Image",
                "The mesh in its colours, lit from the camera.",
                IMATCH_EXAMPLE_VIEW "print(v:image()) --> Image(16x16)", describe_options<RenderLook>),
    bind<mask>("mask", "MeshView:mask([value]) -> Image",
               "`value` (255) where a surface is seen, 0 elsewhere.",
               IMATCH_EXAMPLE_VIEW "print(v:mask()) --> Image(16x16)"),
    bind<normals>("normals", "MeshView:normals() -> Image",
                  "127.5 (1 + n) of the nearest surface's normal in the camera frame (OpenGL's axes), turned "
                  "to the camera.",
                  IMATCH_EXAMPLE_VIEW "print(v:normals()) --> Image(16x16)"),
    bind<is_inside>("camera_is_inside", "MeshView:camera_is_inside() -> boolean",
                    "Whether a closed mesh is all around the camera, so that its front is not seen.",
                    IMATCH_EXAMPLE_VIEW "print(v:camera_is_inside()) --> false"),
    bind<left_out>("left_out", "MeshView:left_out() -> integer",
                   "Triangles left out, since a corner is not finite.",
                   IMATCH_EXAMPLE_VIEW "print(v:left_out()) --> 0"),
};
#undef IMATCH_EXAMPLE_VIEW

constexpr Type kTypes[] = {describe_type<MeshView, to_string>("A posed mesh as a camera sees it.", kMethods)};

}  // namespace raster_bindings

extern const Module raster_module;
const Module raster_module{"raster", "Meshes as cameras see them, surface by surface.",
                           raster_bindings::kFunctions, raster_bindings::kTypes};

}  // namespace imatch::host
