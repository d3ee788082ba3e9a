// SPDX-License-Identifier: Apache-2.0
#include "geometry/camera_poses.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

#include "base/error.h"

namespace imatch {
namespace {

constexpr double kSensor_mm = 36;

Vector3 cross_product(Vector3 a, Vector3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

Vector3 unit(Vector3 v, const char* what) {
  const double length = std::sqrt(dot(v, v));
  if (!(length > 1e-12) || !std::isfinite(length)) throw Error(std::string("camera: ") + what);
  return (1 / length) * v;
}

Vector3 triple(const std::vector<double>& numbers, const char* name) {
  if (numbers.size() != 3)
    throw Error(fmt::format("camera: {}: {} numbers; expected 3", name, numbers.size()));
  return {numbers[0], numbers[1], numbers[2]};
}

PinholeCamera camera_at(const CameraLens& lens, Vector3 eye, Vector3 right, Vector3 down, Vector3 forward) {
  const double focal = focal_px(lens);
  return {focal,
          focal,
          lens.width / 2.0,
          lens.height / 2.0,
          {right.x, right.y, right.z, down.x, down.y, down.z, forward.x, forward.y, forward.z},
          {-dot(right, eye), -dot(down, eye), -dot(forward, eye)}};
}

PinholeCamera looking(const CameraLens& lens, Vector3 eye, Vector3 target, Vector3 up) {
  const Vector3 forward = unit(target - eye, "eye and target are the same point");
  const Vector3 right = unit(cross_product(forward, up), "it looks along `up`; expected another direction");
  return camera_at(lens, eye, right, cross_product(forward, right), forward);
}

}  // namespace

double focal_px(const CameraLens& lens) {
  return lens.focal_mm / kSensor_mm * std::max(lens.width, lens.height);
}

PinholeCamera look_at(const LookAtOptions& o) {
  return looking({o.width, o.height, o.focal_mm}, triple(o.eye, "eye"), triple(o.target, "target"),
                 triple(o.up, "up"));
}

std::vector<PinholeCamera> camera_ring(const CameraRingOptions& o) {
  if (o.elevation_from_deg > o.elevation_to_deg)
    throw Error(fmt::format("camera: elevation_from_deg {} is above elevation_to_deg {}",
                            o.elevation_from_deg, o.elevation_to_deg));
  std::mt19937_64 random(static_cast<std::uint64_t>(o.seed));
  const auto draw = [&] {
    return static_cast<double>(random() >> 11) * 0x1p-53;
  };  // the same on every machine
  const Vector3 target = triple(o.target, "target");
  const double turn = draw();
  std::vector<PinholeCamera> cameras;
  for (int i = 0; i < o.count; ++i) {
    constexpr double kDegree = std::numbers::pi / 180;
    const double azimuth = 2 * std::numbers::pi * (i + turn) / o.count;
    const double elevation =
        kDegree * (o.elevation_from_deg + draw() * (o.elevation_to_deg - o.elevation_from_deg));
    const double distance = o.distance * (1 + o.distance_spread * (2 * draw() - 1));
    const double level = distance * std::cos(elevation), above = distance * std::sin(elevation);
    const double a = level * std::sin(azimuth), b = level * std::cos(azimuth);
    const bool y_up = o.up == "y";
    cameras.push_back(looking({o.width, o.height, o.focal_mm},
                              target + (y_up ? Vector3{a, above, b} : Vector3{a, -b, above}), target,
                              y_up ? Vector3{0, 1, 0} : Vector3{0, 0, 1}));
  }
  return cameras;
}

PinholeCamera camera_of_opengl(const Matrix4& pose, std::string_view world_up, const CameraLens& lens) {
  const auto to_y_up = [&](Vector3 v) { return world_up == "z" ? Vector3{v.x, v.z, -v.y} : v; };
  const auto column = [&](int j) { return to_y_up({pose(0, j), pose(1, j), pose(2, j)}); };
  const Vector3 x = column(0), y = column(1), z = column(2);
  constexpr double kTolerance = 0.01;
  for (const double error : {dot(x, x) - 1, dot(y, y) - 1, dot(z, z) - 1, dot(x, y), dot(y, z), dot(z, x),
                             dot(cross_product(x, y), z) - 1})
    if (!(std::abs(error) < kTolerance))
      throw Error("camera: the matrix from camera to world is no rotation and shift");
  const Vector3 back = unit(z, "the matrix is no rotation"),
                right = unit(x - dot(x, back) * back, "the matrix is no rotation");
  return camera_at(lens, column(3), right, cross_product(right, back), -1.0 * back);
}

}  // namespace imatch
