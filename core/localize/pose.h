// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "geometry/ground_camera.h"
#include "geometry/planar.h"

namespace imatch {

/// Where a photo that looks straight down was taken: the ground below its centre, its heading and its width
/// on the ground.
struct Pose {
  Point2 position;         ///< Metres east and north in the ground frame.
  double heading_deg = 0;  ///< Of the image's up, clockwise from true north, in [0, 360).
  double width_m = 0;
};

/// How far to trust a pose: standard deviations of one Gaussian each, and how the two errors of the position
/// go together.
struct PoseDeviation {
  double east_m = 0;
  double north_m = 0;
  double east_north = 0;  ///< Correlation, in [-1, 1].
  double heading_deg = 0;
  double width_m = 0;
  double residual_m = 0;  ///< Of one correspondence along one axis, on the ground.

  /// Radius of the standard deviation in both directions together.
  double position_m() const;
};

struct PoseFit {
  Pose pose;
  PoseDeviation deviation;

  /// Adds an independent error to the deviation: a shift along each axis, and, both of that size, a turn in
  /// radians and a relative change of scale.
  void add_error(double shift_m, double turn);
};

/// The similarity that takes points of a photo (pixels, width × height) to the ground (metres), by least
/// squares. Its covariance is the sandwich estimator over clusters (Liang and Zeger, "Longitudinal data
/// analysis using generalized linear models", 1986): neighbouring tokens see the same ground and err alike,
/// so the residuals of each square of a seventh of the photo are summed before they are squared. What moves
/// the whole map, its georeference, is not in it. Throws Error for fewer than 3 points or points that
/// coincide.
PoseFit fit_pose(std::span<const Point2> photo, std::span<const Point2> ground, int width, int height);

/// The pose that a homography from the photo's pixels to the ground says: where it takes the centre of the
/// photo, and the heading and the width of the similarity nearest to it there.
Pose pose_at_centre(const Homography& ground_from_photo, int width, int height);

/// The homography from the photo's pixels to the ground that the pose says.
Homography ground_from_photo(const Pose& pose, int width, int height);

/// A camera looking straight down with that pose, `margin` times as wide as the photo.
CameraOptions camera_at(const Pose& pose, int width_px, int height_px, double margin = 1);

}  // namespace imatch
