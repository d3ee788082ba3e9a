// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "image/byte_source.h"
#include "image/exif.h"

namespace imatch {

enum class PictureFormat { kJpeg, kPng, kTiff, kWebp, kBmp };

/// "JPEG", "PNG", "TIFF", "WebP" or "BMP".
const char* name_of(PictureFormat format);

/// What a picture file says before its pixels. Valid while the source lives.
struct PictureHeader {
  PictureFormat format = PictureFormat::kJpeg;
  std::int64_t width = 0;  ///< As stored, before the orientation is applied.
  std::int64_t height = 0;
  int orientation = 1;                ///< Exif: 1 to 8; 5 to 8 swap the sides.
  std::optional<TiffDirectory> exif;  ///< Directory 0 of the EXIF block, or of the TIFF file itself.
  std::uint64_t xmp_offset = 0;       ///< XMP packet: UTF-8 XML.
  std::uint64_t xmp_size = 0;         ///< 0: none.

  bool sides_swapped() const { return orientation >= 5; }
};

/// Reads the header only, walking from block to block. `name` begins the error messages.
/// Throws Failure (bad_format) for an empty file, another sort of file, or a header that is cut off or
/// damaged.
PictureHeader read_picture_header(const ByteSource& source, const std::string& name);

/// Throws Failure (bad_format) when the file ends before its picture does. (Decoders are lenient: the
/// libraries' JPEG reader makes up the missing rows in grey.) TIFF is left to its decoder, which knows where
/// the strips are.
void require_complete_picture(std::string_view bytes, const PictureHeader& header, const std::string& name);

}  // namespace imatch
