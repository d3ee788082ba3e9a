// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "image/image.h"

namespace imatch {

/// The picture upright, from its pixels as stored and its Exif orientation: 1 as it is, 2 mirrored, 3 rotated
/// by 180 degrees, 4 flipped, 5 transposed, 6 to be rotated 90 degrees clockwise, 7 transversed, 8 to be
/// rotated 90 degrees counter-clockwise. Throws Error for another number.
Image upright(Image stored, int orientation);

}  // namespace imatch
