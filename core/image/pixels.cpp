// SPDX-License-Identifier: Apache-2.0
#include "image/pixels.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace imatch {

Image decode_pixels(std::string_view bytes, const PictureHeader& header, const std::string& name,
                    int max_scans) {
  switch (header.format) {
    case PictureFormat::kJpeg:
      return jpeg_pixels(bytes, header, name, max_scans);
    case PictureFormat::kPng:
      return png_pixels(bytes, header, name);
    case PictureFormat::kTiff:
      return tiff_pixels(bytes, header, name);
    case PictureFormat::kWebp:
      return webp_pixels(bytes, header, name);
    case PictureFormat::kBmp:
      break;
  }
  return bmp_pixels(bytes, header, name);
}

void fail_damaged(const std::string& name, std::string_view why) {
  throw Failure(code::kBadFormat,
                fmt::format("{}: truncated or damaged: {}", name, why.substr(0, why.find('\n'))));
}

void require_size(const PictureHeader& header, std::int64_t width, std::int64_t height,
                  const std::string& name) {
  if (width != header.width || height != header.height)
    throw Failure(code::kBadFormat,
                  fmt::format("{}: damaged {} file: contradictory sizes", name, name_of(header.format)));
}

bool means_broken_jpeg(std::string_view message) {
  static constexpr std::string_view kBroken[] = {"premature end",  "Premature end",       "bad Huffman code",
                                                 "instead of RST", "bad arithmetic code", "bad progression"};
  return std::ranges::any_of(kBroken,
                             [&](std::string_view part) { return message.find(part) != message.npos; });
}

}  // namespace imatch
