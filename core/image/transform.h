// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "geometry/planar.h"
#include "image/image.h"

namespace imatch {

/// The part of `width` x `height` pixels whose top-left pixel is (x, y). Throws Error when it leaves the
/// picture.
Image crop(const Image& image, int x, int y, int width, int height);

struct Warped {
  Image image;  ///< Black where the source has nothing.
  std::vector<std::uint8_t>
      valid;  ///< [height * width]: 1 where the pixel's centre comes from inside the source.
};

/// Image a as seen in the frame of b: b(p) = a(inverse(b_from_a)(p)), bilinear (OpenCV, to 1/32 px). Pixels
/// behind the horizon of the homography are not valid. Throws Error for a singular homography, an empty
/// picture, or sides outside [1, 32766].
Warped warp_perspective(const Image& a, const Homography& b_from_a, int width, int height);

struct Rotated {
  Image image;
  Affine2 rotated_from_original;
};

/// Rotated clockwise about its centre, on a picture just large enough to hold all of it, black around.
/// Multiples of 90 degrees move pixels and change none. Throws Error for an empty picture or an angle that is
/// not finite.
Rotated rotate(const Image& image, double angle_deg);

}  // namespace imatch
