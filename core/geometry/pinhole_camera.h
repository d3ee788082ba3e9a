// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <tuple>
#include <vector>

#include "base/field.h"
#include "geometry/planar.h"
#include "geometry/vector3.h"

namespace imatch {

/// A pinhole camera anywhere in space. Camera frame as OpenCV's: x right, y down, z along the optical axis.
/// The centre of the top-left pixel is (0.5, 0.5): OpenCV's intrinsics, which count from there, have cx and
/// cy smaller by 0.5. No distortion.
struct PinholeCamera {
  double fx = 1, fy = 1;  ///< Focal lengths, px.
  double cx = 0, cy = 0;  ///< Where the optical axis meets the image, px.
  /// Pose, camera from world: p_camera = rotation p_world + translation. Row-major, orthonormal,
  /// determinant 1.
  std::array<double, 9> rotation{1, 0, 0, 0, 1, 0, 0, 0, 1};
  Vector3 translation;

  Vector3 camera_from_world(Vector3 world) const;
  Vector3 world_from_camera(Vector3 in_camera) const;
  /// Where the camera stands, in the world.
  Vector3 centre() const;

  /// The pixel of a point of the camera frame, z > 0.
  Point2 pixel_of(Vector3 in_camera) const {
    return {fx * in_camera.x / in_camera.z + cx, fy * in_camera.y / in_camera.z + cy};
  }
  /// The pixel that a point of the world is seen at, inside of the image or not; none for a point that is not
  /// in front of the camera (depth <= 0).
  std::optional<Point2> project(Vector3 world) const;
  /// Along the optical axis; the z of camera_from_world.
  double depth_of(Vector3 world) const { return camera_from_world(world).z; }
  /// The point of the world that a pixel sees at that depth along the optical axis.
  Vector3 unproject(Point2 pixel, double depth) const;
  /// From the camera's centre towards what the pixel sees, in the world; its length is that of depth 1.
  Vector3 ray(Point2 pixel) const;
};

/// A pinhole camera as plain data.
struct PinholeOptions {
  double fx = 1, fy = 1, cx = 0, cy = 0;
  std::vector<double> rotation{1, 0, 0, 0, 1, 0, 0, 0, 1};
  std::vector<double> translation{0, 0, 0};
  static constexpr auto fields = std::tuple{
      field("fx", &PinholeOptions::fx, in_range(1e-9, 1e9), "Horizontal focal length, px."),
      field("fy", &PinholeOptions::fy, in_range(1e-9, 1e9), "Vertical focal length, px."),
      field("cx", &PinholeOptions::cx, anything(),
            "Column of the optical axis, px; the centre of the first pixel is 0.5."),
      field("cy", &PinholeOptions::cy, anything(), "Row of the optical axis, px."),
      field("rotation", &PinholeOptions::rotation, anything(), "Camera from world, 9 numbers row by row."),
      field("translation", &PinholeOptions::translation, anything(),
            "p_camera = rotation p_world + translation, 3 numbers.")};
};

/// Throws Error for numbers that are not finite, or a matrix that is no rotation (up to 1e-6).
PinholeCamera pinhole_camera(const PinholeOptions& options);
PinholeOptions pinhole_options(const PinholeCamera& camera);

}  // namespace imatch
