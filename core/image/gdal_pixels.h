// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "image/image.h"
#include "image/picture_header.h"

namespace imatch {

/// The pixels of a whole picture file in memory, as stored, as 8-bit RGB. `header` is the one read from
/// `bytes`. Throws Failure (bad_format) with the decoder's reason; nothing is written to standard error.
///
/// GDAL decodes, although OpenCV is at hand: its messages go to a handler of the calling thread instead of
/// standard error (a PNG with an odd colour profile is no reason to write into the user's terminal), and a
/// cut-off or damaged file is an error instead of a picture that is half grey.
Image decode_pixels(std::string_view bytes, const PictureHeader& header, const std::string& name);

}  // namespace imatch
