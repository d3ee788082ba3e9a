// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/field.h"
#include "geometry/pinhole_camera.h"
#include "geometry/planar.h"

namespace imatch {

/// A pinhole camera over flat ground. Ground frame: metres, x east, y north. Image frame: the centre of the
/// top-left pixel is (0.5, 0.5), x right, y down; the optical axis meets the image in its middle. Attitude:
/// start looking straight down with the image's up direction along the heading; lean by tilt_deg towards the
/// image's up direction, then by roll_deg towards its right.
struct CameraOptions {
  double x_m = 0;
  double y_m = 0;
  double altitude_m = 120;
  double heading_deg = 0;
  double tilt_deg = 0;
  double roll_deg = 0;
  double fov_deg = 60;
  int width = 448;
  int height = 336;
  static constexpr auto fields = std::tuple{
      field("x_m", &CameraOptions::x_m, anything(),
            "Position of the camera, metres east of the ground's origin."),
      field("y_m", &CameraOptions::y_m, anything(),
            "Position of the camera, metres north of the ground's origin."),
      field("altitude_m", &CameraOptions::altitude_m, in_range(0.1, 1e5), "Height above the ground, m."),
      field("heading_deg", &CameraOptions::heading_deg, anything(),
            "Direction of the image's up, degrees clockwise from true north."),
      field("tilt_deg", &CameraOptions::tilt_deg, in_range(-90, 90),
            "Angle of the optical axis off straight down, degrees; plus leans towards the image's up."),
      field("roll_deg", &CameraOptions::roll_deg, in_range(-90, 90),
            "The same sideways, applied after the tilt; plus leans towards the image's right."),
      field("fov_deg", &CameraOptions::fov_deg, in_range(0.1, 170), "Horizontal field of view, degrees."),
      field("width", &CameraOptions::width, in_range(1, 16384), "Width of the image, px."),
      field("height", &CameraOptions::height, in_range(1, 16384), "Height of the image, px."),
  };
};

/// The same camera in space: the ground is the plane z = 0, z up. Throws Error when a number is not finite.
PinholeCamera pinhole_camera(const CameraOptions& camera);

/// Exact homography from the image to the ground. Of the homogeneous result (x, y, w), w is above 0 exactly
/// for pixels that see ground: at 0 they look at the horizon, below it into the sky. Throws Error when a
/// number is not finite.
Homography ground_from_image(const CameraOptions& camera);

/// The inverse; w is above 0 exactly for ground points in front of the camera.
Homography image_from_ground(const CameraOptions& camera);

/// True when the pixel sees ground rather than the sky; `h` is a ground_from_image.
inline bool sees_ground(const Homography& h, Point2 pixel) {
  return h.depth(pixel) > 0;
}

/// Ground sampling distance at a pixel: the square root of the ground area that one pixel there covers, m;
/// infinite where no ground is seen.
double gsd_at(const Homography& ground_from_image, Point2 pixel);

}  // namespace imatch
