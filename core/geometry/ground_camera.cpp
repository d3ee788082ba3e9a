// SPDX-License-Identifier: Apache-2.0
#include "geometry/ground_camera.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "base/error.h"

namespace imatch {
namespace {

/// Sine and cosine of an angle in degrees, exact at the quarter turns, where the images should be exactly
/// rotated.
struct Turn {
  double sin, cos;
  explicit Turn(double degrees) {
    const double reduced = std::remainder(degrees, 360.0);
    const double quarters = std::round(reduced / 90);
    const double rest = (reduced - 90 * quarters) * std::numbers::pi / 180;
    const double s = std::sin(rest);
    const double c = std::cos(rest);
    switch (static_cast<int>(quarters) & 3) {
      case 0:
        sin = s, cos = c;
        break;
      case 1:
        sin = c, cos = -s;
        break;
      case 2:
        sin = -s, cos = -c;
        break;
      default:
        sin = -c, cos = s;
    }
  }
};

void require_finite(const char* name, double value) {
  if (!std::isfinite(value))
    throw Error(fmt::format("camera: {}: {} is not allowed; expected a finite number", name, value));
}

/// Axes of the camera in the ground frame (x east, y north, z up).
struct Attitude {
  Vector3 right, up, axis;
};

Attitude attitude_of(const CameraOptions& camera) {
  std::apply(
      [&](const auto&... f) { (require_finite(f.name, static_cast<double>(camera.*(f.member))), ...); },
      CameraOptions::fields);
  const Turn heading(camera.heading_deg);
  const Turn tilt(camera.tilt_deg);
  const Turn roll(camera.roll_deg);
  Vector3 right{heading.cos, -heading.sin, 0};
  const Vector3 up_level{heading.sin, heading.cos, 0};
  const Vector3 down{0, 0, -1};
  Vector3 axis = tilt.cos * down + tilt.sin * up_level;
  const Vector3 up = tilt.cos * up_level - tilt.sin * down;
  const Vector3 leaned = roll.cos * axis + roll.sin * right;
  right = roll.cos * right - roll.sin * axis;
  axis = leaned;
  return {right, up, axis};
}

/// Width of a pixel at distance 1.
double pixel_width(const CameraOptions& camera) {
  return 2 * std::tan(camera.fov_deg * std::numbers::pi / 360) / camera.width;
}

}  // namespace

PinholeCamera pinhole_camera(const CameraOptions& options) {
  const auto [right, up, axis] = attitude_of(options);
  PinholeCamera camera;
  camera.fx = camera.fy = 1 / pixel_width(options);
  camera.cx = 0.5 * options.width;
  camera.cy = 0.5 * options.height;
  camera.rotation = {right.x, right.y, right.z, -up.x, -up.y, -up.z, axis.x, axis.y, axis.z};
  const Vector3 at{options.x_m, options.y_m, options.altitude_m};
  camera.translation = {-dot(right, at), dot(up, at), -dot(axis, at)};
  return camera;
}

Homography ground_from_image(const CameraOptions& camera) {
  const auto [right, up, axis] = attitude_of(camera);
  // The ray through pixel (u, v) is u a + v b + c; it meets the ground where its height has fallen by the
  // altitude.
  const double pixel = pixel_width(camera);
  const Vector3 a = pixel * right;
  const Vector3 b = -pixel * up;
  const Vector3 c = axis - 0.5 * camera.width * a - 0.5 * camera.height * b;
  const double h = camera.altitude_m;
  const auto x = [&](Vector3 ray) { return h * ray.x - camera.x_m * ray.z; };
  const auto y = [&](Vector3 ray) { return h * ray.y - camera.y_m * ray.z; };
  return {{x(a), x(b), x(c), y(a), y(b), y(c), -a.z, -b.z, -c.z}};
}

Homography image_from_ground(const CameraOptions& camera) {
  return ground_from_image(camera).inverse();
}

double gsd_at(const Homography& h, Point2 pixel) {
  const double w = h.depth(pixel);
  if (!(w > 0)) return std::numeric_limits<double>::infinity();
  // The Jacobian of a homography has the determinant det(H) / w^3.
  const auto& m = h.m;
  const double determinant = m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) +
                             m[2] * (m[3] * m[7] - m[4] * m[6]);
  return std::sqrt(std::abs(determinant) / (w * w * w));
}

}  // namespace imatch
