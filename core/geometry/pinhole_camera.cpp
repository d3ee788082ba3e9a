// SPDX-License-Identifier: Apache-2.0
#include "geometry/pinhole_camera.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace imatch {

Vector3 PinholeCamera::camera_from_world(Vector3 p) const {
  const auto& r = rotation;
  return {r[0] * p.x + r[1] * p.y + r[2] * p.z + translation.x,
          r[3] * p.x + r[4] * p.y + r[5] * p.z + translation.y,
          r[6] * p.x + r[7] * p.y + r[8] * p.z + translation.z};
}

Vector3 PinholeCamera::world_from_camera(Vector3 in_camera) const {
  const auto& r = rotation;
  const Vector3 p = in_camera - translation;
  return {r[0] * p.x + r[3] * p.y + r[6] * p.z, r[1] * p.x + r[4] * p.y + r[7] * p.z,
          r[2] * p.x + r[5] * p.y + r[8] * p.z};
}

Vector3 PinholeCamera::centre() const {
  return world_from_camera({0, 0, 0});
}

std::optional<Point2> PinholeCamera::project(Vector3 world) const {
  const Vector3 p = camera_from_world(world);
  if (!(p.z > 0)) return std::nullopt;
  return pixel_of(p);
}

Vector3 PinholeCamera::unproject(Point2 pixel, double depth) const {
  return world_from_camera({depth * (pixel.x - cx) / fx, depth * (pixel.y - cy) / fy, depth});
}

Vector3 PinholeCamera::ray(Point2 pixel) const {
  return unproject(pixel, 1) - centre();
}

PinholeCamera pinhole_camera(const PinholeOptions& options) {
  const auto require_numbers = [](const char* name, const std::vector<double>& list, std::size_t count) {
    const bool finite = std::all_of(list.begin(), list.end(), [](double x) { return std::isfinite(x); });
    if (list.size() != count || !finite)
      throw Error(fmt::format("camera: {}: {} numbers; expected {} finite ones", name, list.size(), count));
  };
  require_numbers("rotation", options.rotation, 9);
  require_numbers("translation", options.translation, 3);
  require_numbers("cx and cy", {options.cx, options.cy}, 2);
  PinholeCamera camera{options.fx, options.fy, options.cx, options.cy, {}, {}};
  std::copy(options.rotation.begin(), options.rotation.end(), camera.rotation.begin());
  camera.translation = {options.translation[0], options.translation[1], options.translation[2]};
  const auto& r = camera.rotation;
  const Vector3 x{r[0], r[1], r[2]}, y{r[3], r[4], r[5]}, z{r[6], r[7], r[8]};
  const double determinant = r[0] * (r[4] * r[8] - r[5] * r[7]) - r[1] * (r[3] * r[8] - r[5] * r[6]) +
                             r[2] * (r[3] * r[7] - r[4] * r[6]);
  constexpr double kTolerance = 1e-6;
  for (const double error :
       {dot(x, x) - 1, dot(y, y) - 1, dot(z, z) - 1, dot(x, y), dot(y, z), dot(z, x), determinant - 1})
    if (!(std::abs(error) < kTolerance))
      throw Error(
          "camera: rotation: its rows are not orthonormal with determinant 1; expected a rotation matrix");
  return camera;
}

PinholeOptions pinhole_options(const PinholeCamera& camera) {
  return {camera.fx,
          camera.fy,
          camera.cx,
          camera.cy,
          {camera.rotation.begin(), camera.rotation.end()},
          {camera.translation.x, camera.translation.y, camera.translation.z}};
}

}  // namespace imatch
