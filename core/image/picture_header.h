// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "image/byte_source.h"
#include "image/exif.h"

namespace imatch {

enum class PictureFormat { kJpeg, kPng, kTiff, kWebp, kBmp };

/// "JPEG", "PNG", "TIFF", "WebP" or "BMP".
const char* name_of(PictureFormat format);

/// What a picture file says beside its pixels. Valid while the source lives.
struct PictureHeader {
  PictureFormat format = PictureFormat::kJpeg;
  std::int64_t width = 0;  ///< As stored, before the orientation is applied.
  std::int64_t height = 0;
  int orientation = 1;  ///< 1 to 8, of EXIF, else of XMP (tiff:Orientation); 5 to 8 swap the sides.
  std::optional<TiffDirectory> exif;  ///< Directory 0 of the EXIF block, or of the TIFF file itself.
  std::string xmp;                    ///< The XMP packet, UTF-8 XML; "": none.
  std::vector<std::shared_ptr<const ByteSource>> unpacked;  ///< Blocks that the file holds in another form.

  bool sides_swapped() const { return orientation >= 5; }
};

/// Reads size, orientation and blocks of metadata, walking from block to block: the one reader of them,
/// whatever the format. `name` begins the error messages. Throws Failure (bad_format) for an empty file,
/// another sort of file, or a header that is cut off or damaged.
PictureHeader read_picture_header(const ByteSource& source, const std::string& name);

}  // namespace imatch
