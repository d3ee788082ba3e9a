// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "binding.h"
#include "geometry/camera_poses.h"
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

int look_at(lua_State* L) {
  return push(
      L, options_to_json(pinhole_options(imatch::look_at(options<LookAtOptions>(L, 1, "camera.look_at")))));
}

int ring(lua_State* L) {
  Json list = Json::array();
  for (const PinholeCamera& camera : camera_ring(options<CameraRingOptions>(L, 1, "camera.ring")))
    list.push_back(options_to_json(pinhole_options(camera)));
  return push(L, list);
}

struct OpenglOptions {
  std::vector<double> matrix;
  std::string up = "y";
  int width = 160, height = 160;
  double focal_mm = 50;
  static constexpr auto fields = std::tuple{
      field("matrix", &OpenglOptions::matrix, anything(), "World from camera, 16 numbers row by row."),
      field("up", &OpenglOptions::up, one_of(kUpAxes),
            "Axis of the world that points up; a z-up world is turned to y-up."),
      field("width", &OpenglOptions::width, in_range(1, 65536), "Of the picture, px."),
      field("height", &OpenglOptions::height, in_range(1, 65536), "Of the picture, px."),
      field("focal_mm", &OpenglOptions::focal_mm, in_range(1e-3, 1e6),
            "Of the lens, over a sensor of 36 mm.")};
};

int of_opengl(lua_State* L) {
  const auto o = options<OpenglOptions>(L, 1, "camera.of_opengl");
  if (o.matrix.size() != 16)
    throw Error("camera: matrix: " + std::to_string(o.matrix.size()) + " numbers; expected 16");
  Matrix4 matrix;
  std::copy(o.matrix.begin(), o.matrix.end(), matrix.m.begin());
  return push(
      L, options_to_json(pinhole_options(camera_of_opengl(matrix, o.up, {o.width, o.height, o.focal_mm}))));
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
    bind<look_at>("look_at", "camera.look_at(options) -> camera",
                  "A camera at `eye` that looks at `target`, its lens over a sensor of 36 mm (the picture's "
                  "larger side).",
                  "print(im.camera.look_at({ eye = { 0, 0, 3 } }).translation[3]) --> 3",
                  describe_options<LookAtOptions>),
    bind<ring>("ring", "camera.ring([options]) -> list of cameras",
               "Cameras around a target that all look at it: azimuths spread evenly, elevations and "
               "distances drawn by the seed.",
               "print(#im.camera.ring { count = 5 }) --> 5", describe_options<CameraRingOptions>),
    bind<of_opengl>("of_opengl", "camera.of_opengl(options) -> camera",
                    "The camera of a camera-to-world matrix with OpenGL's axes (x right, y up, z backwards), "
                    "as Blender and "
                    "DualPM write it. The rotation is made orthonormal.",
                    "local m = { 1, 0, 0, 0,  0, 1, 0, 0,  0, 0, 1, 5,  0, 0, 0, 1 }\n"
                    "print(im.camera.of_opengl({ matrix = m }).translation[3]) --> 5",
                    describe_options<OpenglOptions>),
};

}  // namespace camera_bindings

extern const Module camera_module;
const Module camera_module{"camera", "Pinhole cameras in space.", camera_bindings::kFunctions};

}  // namespace imatch::host
