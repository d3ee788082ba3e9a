// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "binding.h"
#include "geometry/ground_camera.h"

namespace imatch::host {
namespace camera_bindings {

PinholeCamera check_camera(lua_State* L, int index) {
  return pinhole_camera(options<PinholeOptions>(L, index, "camera"));
}

/// A list of {x, y, z} (or {column, row, depth}).
std::vector<Vector3> check_triples(lua_State* L, int index, const char* what) {
  std::vector<Vector3> list;
  for (const Json& p : to_json(L, index, what)) {
    if (!p.is_array() || p.size() != 3 || !p[0].is_number() || !p[1].is_number() || !p[2].is_number())
      wrong_argument(L, index, what);
    list.push_back({p[0], p[1], p[2]});
  }
  return list;
}

int over_ground(lua_State* L) {
  return push(L, options_to_json(
                     pinhole_options(pinhole_camera(options<CameraOptions>(L, 1, "camera.over_ground")))));
}

int project(lua_State* L) {
  const PinholeCamera camera = check_camera(L, 1);
  Json list = Json::array();
  for (const Vector3& world : check_triples(L, 2, "a list of {x, y, z}")) {
    const auto pixel = camera.project(world);
    list.push_back(pixel ? Json{pixel->x, pixel->y, camera.depth_of(world)} : Json(false));
  }
  return push(L, list);
}

int unproject(lua_State* L) {
  const PinholeCamera camera = check_camera(L, 1);
  Json list = Json::array();
  for (const Vector3& p : check_triples(L, 2, "a list of {column, row, depth}")) {
    const Vector3 world = camera.unproject({p.x, p.y}, p.z);
    list.push_back({world.x, world.y, world.z});
  }
  return push(L, list);
}

constexpr Binding kFunctions[] = {
    bind<over_ground>(
        "over_ground", "camera.over_ground(options) -> camera",
        "The camera of Ground:view and homography.of_camera in space, as camera.project takes it: "
        "x east, y north, z up, the ground at z = 0.",
        "print(im.camera.over_ground({ width = 448 }).cx == 224) --> true", describe_options<CameraOptions>),
    bind<project>(
        "project", "camera.project(camera, points) -> list",
        "The pixels {column, row, depth} at which a pinhole camera without distortion sees points "
        "{x, y, z} of the world; false for one that is not in front of it. Depth is along the optical "
        "axis. Camera frame as OpenCV's: x right, y down, z forward; the centre of the first pixel is "
        "(0.5, 0.5).",
        "local seen = im.camera.project({ fx = 100, fy = 100, cx = 50, cy = 40 }, { { 1, 0, 2 } })\n"
        "print(seen[1][1] == 100 and seen[1][2] == 40 and seen[1][3] == 2) --> true",
        describe_options<PinholeOptions>),
    bind<unproject>("unproject", "camera.unproject(camera, pixels) -> list",
                    "The points {x, y, z} of the world that pixels {column, row, depth} see.",
                    "local camera = { fx = 100, fy = 100, cx = 50, cy = 40 }\n"
                    "print(im.camera.unproject(camera, { { 100, 40, 2 } })[1][1] == 1) --> true",
                    describe_options<PinholeOptions>),
};

}  // namespace camera_bindings

extern const Module camera_module;
const Module camera_module{"camera", "Pinhole cameras in space.", camera_bindings::kFunctions};

}  // namespace imatch::host
