// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "geometry/planar.h"
#include "image/image.h"

namespace imatch {

/// The picture upright, from its pixels as stored and its Exif orientation: 1 as it is, 2 mirrored, 3 rotated
/// by 180 degrees, 4 flipped, 5 transposed, 6 to be rotated 90 degrees clockwise, 7 transversed, 8 to be
/// rotated 90 degrees counter-clockwise. Throws Error for another number.
Image upright(Image stored, int orientation);

/// Where a point of the upright picture lies in the pixels as stored, for an upright picture of this size.
/// Throws Error as upright.
Affine2 stored_from_upright(int orientation, int upright_width, int upright_height);

}  // namespace imatch
