// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "image/image.h"
#include "image/picture_header.h"

namespace imatch {

/// The pixels of a whole picture file in memory, as stored, as 8-bit RGB. `header` is the one read from
/// `bytes`; a JPEG may have `max_scans` scans. Throws Failure (bad_format) with the decoder's reason; nothing
/// is written to standard error.
///
/// Each format has the library that is right about it: libjpeg-turbo, libpng, libtiff (for its blocks alone:
/// what their samples mean is decided in tiff_samples.cpp, since libtiff's own RGBA interface knows neither
/// 12 bits nor CMYK or Lab of 16), libwebp; BMP has none and is read here. All are told to say what is wrong
/// instead of going on, which is what a cut-off or damaged file would otherwise get: a picture that is half
/// grey.
Image decode_pixels(std::string_view bytes, const PictureHeader& header, const std::string& name,
                    int max_scans);

// One a format, in a file of its name.
Image jpeg_pixels(std::string_view bytes, const PictureHeader& header, const std::string& name,
                  int max_scans);
Image png_pixels(std::string_view bytes, const PictureHeader& header, const std::string& name);
Image tiff_pixels(std::string_view bytes, const PictureHeader& header, const std::string& name);
Image webp_pixels(std::string_view bytes, const PictureHeader& header, const std::string& name);
Image bmp_pixels(std::string_view bytes, const PictureHeader& header, const std::string& name);

/// Throws Failure (bad_format): "NAME: truncated or damaged: WHY".
[[noreturn]] void fail_damaged(const std::string& name, std::string_view why);
/// Throws the Failure of a file whose decoder finds another size than its header says.
void require_size(const PictureHeader& header, std::int64_t width, std::int64_t height,
                  const std::string& name);
/// libjpeg, alone or inside of libtiff, warns, and goes on, both of quirks that change no pixel and of broken
/// data.
bool means_broken_jpeg(std::string_view message);

/// One CMYK pixel, 255 being full ink, as Pillow converts it.
inline void rgb_from_cmyk(const std::uint8_t* cmyk, std::uint8_t* rgb) {
  const int light = 255 - cmyk[3];
  for (int c = 0; c < 3; ++c) {
    const int scaled = cmyk[c] * light + 128;
    const int value = light - (((scaled >> 8) + scaled) >> 8);
    rgb[c] = static_cast<std::uint8_t>(value < 0 ? 0 : value);
  }
}

}  // namespace imatch
