// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "image/picture_header.h"

namespace imatch {

/// Takes EXIF and XMP out of a text chunk of a PNG ("tEXt", "zTXt" or "iTXt"), unless the header has them
/// already: XML:com.adobe.xmp, plain or compressed, and ImageMagick's "Raw profile type exif", "APP1" and
/// "xmp", which are written in hexadecimal digits. Any other text, and one that is damaged, is passed over.
void take_png_text(const ByteSource& source, std::uint64_t offset, std::uint64_t size,
                   const std::string& type, PictureHeader& header);

}  // namespace imatch
