// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <tuple>

#include "base/field.h"
#include "image/image.h"

namespace imatch {

struct DecodeOptions {
  double max_megapixels = 400;
  double max_expansion = 30000;
  int max_scans = 500;
  bool apply_orientation = true;
  static constexpr auto fields = std::tuple{
      field("max_megapixels", &DecodeOptions::max_megapixels, at_least(0),
            "Largest picture accepted, in millions of pixels. Larger ones are refused from their header, "
            "before any "
            "memory is taken."),
      field("max_expansion", &DecodeOptions::max_expansion, at_least(0),
            "Largest picture of more than 16 megapixels that a small file may hold: its bytes as RGB for "
            "each byte of the file. Deflate alone cannot hold more; only files that were made to fill the "
            "memory do."),
      field("max_scans", &DecodeOptions::max_scans, at_least(1),
            "Most scans of a progressive JPEG. Each takes the time of the whole picture; encoders write some "
            "dozens at most, a file of more was made to take time."),
      field("apply_orientation", &DecodeOptions::apply_orientation, anything(),
            "Turn and mirror the picture as its EXIF orientation says, so that it stands upright.")};
};

/// Width and height in pixels.
struct ImageSize {
  int width = 0;
  int height = 0;
};

/// Decodes JPEG, PNG, TIFF (first page), WebP and BMP to 8-bit RGB: grey is repeated, a palette looked up,
/// fewer or more bits are scaled to the nearest of 8, alpha is dropped, CMYK and CIE L*a*b* converted, of an
/// animation the first picture taken; colour profiles are not applied. `name` begins the error messages.
/// Throws Failure: bad_format (empty, truncated, damaged, not a picture, samples that are signed,
/// floating-point or of more than 16 bits), too_large. What ends without its end mark, or has something
/// behind it, is a picture when all of its rows are there.
Image decode_image(std::string_view bytes, const std::string& name, const DecodeOptions& options = {});

/// decode_image of a file. Also throws Failure: not_found, not_a_file, unreadable.
Image open_image(const std::string& path, const DecodeOptions& options = {});

/// The size that open_image would give, upright, from the file's header alone.
/// Throws Failure: not_found, not_a_file, unreadable, bad_format.
ImageSize image_size(const std::string& path);

}  // namespace imatch
