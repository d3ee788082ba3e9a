// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "feature/features.h"
#include "geometry/planar.h"

namespace imatch {

/// Features of an image that was rotated by `rotation_deg` before the network saw it, placed in the image as
/// it was: points come out in its pixels, and only tokens whose whole cell shows the image are selectable,
/// not those that see what the rotation left empty. `rotated_from_original` as rotate() gives it
/// (image/transform.h); `width` and `height` of the image as it was.
Features rotated_back(const Features& of_rotated, const Affine2& rotated_from_original, double rotation_deg,
                      int width, int height);

}  // namespace imatch
