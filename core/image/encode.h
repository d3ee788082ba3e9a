// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/field.h"
#include "image/image.h"

namespace imatch {

struct EncodeOptions {
  int quality = 92;
  int compression = 3;
  static constexpr auto fields = std::tuple{field("quality", &EncodeOptions::quality, in_range(1, 100),
                                                  "Of JPEG and WebP; 100 makes WebP lossless."),
                                            field("compression", &EncodeOptions::compression, in_range(0, 9),
                                                  "Of PNG: 0 quick and large, 9 slow and small.")};
};

/// Endings of the files that are taken for pictures in a folder, without the dot, in lower case: those that
/// are read and written.
std::vector<std::string> picture_extensions();

/// The file's bytes. `extension`: png, jpg, jpeg, tif, tiff, webp or bmp, in any case, with or without its
/// dot. Throws Error for another extension, an empty picture or one too large for the format.
std::string encode_image(const Image& image, std::string_view extension, const EncodeOptions& options = {});

/// Writes the file its extension asks for, whole or not at all. Throws Error as encode_image does, and
/// Failure: unwritable, no_space.
void save_image(const Image& image, const std::string& path, const EncodeOptions& options = {});

}  // namespace imatch
