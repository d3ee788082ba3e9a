// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "geometry/planar.h"
#include "image/image.h"

namespace imatch {

/// A picture of the ground whose truth is known.
struct View {
  Image image;                      ///< Black where nothing is known of the ground.
  std::vector<std::uint8_t> valid;  ///< H×W, row-major: 255 where the image shows ground, 0 elsewhere.
  Homography ground_from_image;     ///< Exact; ground in metres east and north (geometry/ground_camera.h).
  double gsd_m = 0;  ///< Metres of ground a pixel in the middle of the image; infinite in the sky.
};

/// Share of the pixels that show ground, in [0, 1].
double coverage(const View& view);

/// The true map between two pictures of one ground: image b from image a.
Homography b_from_a(const View& a, const View& b);

/// Share of the pixels of `a` whose ground is seen by `b` and valid in both, in [0, 1].
double overlap(const View& a, const View& b);

}  // namespace imatch
