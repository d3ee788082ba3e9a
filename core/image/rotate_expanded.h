// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "image/image.h"

namespace imatch {

/// Rotated counter-clockwise about its centre, on a canvas that holds all of it, black around: Pillow's
/// Image.rotate(angle, BICUBIC, expand=True), whose bicubic has a = -1 and cuts off fractions. Multiples of
/// 90 degrees move pixels and change none. Throws Error for an empty picture or an angle that is not finite.
Image rotate_expanded(const Image& image, double angle_deg);

}  // namespace imatch
