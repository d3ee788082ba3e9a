// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "image/image.h"

namespace imatch {

// The formats whose pictures can take seconds, each by its own library, which is asked to stop where OpenCV
// cannot be. Throw Interrupted, and Error with the library's reason.

/// `compression` in [0, 9].
std::string encode_png(const Image& image, int compression);
/// `quality` in [1, 100]; 100 is lossless.
std::string encode_webp(const Image& image, int quality);

}  // namespace imatch
