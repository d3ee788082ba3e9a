// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "image/byte_source.h"

namespace imatch {

/// One TIFF image file directory: EXIF is a TIFF file inside another file, and a TIFF file is EXIF with
/// pixels. Values are fetched only when asked for, every offset is checked, and a damaged entry reads as
/// absent.
class TiffDirectory {
 public:
  /// The numeric type of an entry, as the TIFF 6.0 and BigTIFF specifications count them.
  struct Entry {
    std::uint16_t type = 0;
    std::uint64_t count = 0;
    std::uint64_t offset = 0;  ///< Of the first value, in the source.
  };

  TiffDirectory() = default;

  /// The first directory of a TIFF structure that begins at `base` (classic or BigTIFF, either byte order);
  /// nothing when there is none.
  static std::optional<TiffDirectory> first(const ByteSource& source, std::uint64_t base);
  /// The directory that the entry `tag` points to (EXIF, GPS).
  std::optional<TiffDirectory> child(std::uint16_t tag) const;

  const Entry* find(std::uint16_t tag) const;
  /// Integers and rationals as a number; nothing when absent, damaged, or a rational with denominator 0.
  std::optional<double> number(std::uint16_t tag, std::uint64_t index = 0) const;
  std::optional<std::int64_t> integer(std::uint16_t tag) const;
  /// ASCII up to the first NUL, without blanks around it; nothing when empty.
  std::optional<std::string> text(std::uint16_t tag) const;

 private:
  TiffDirectory(const ByteSource& source, std::uint64_t base, bool big_endian, bool big_tiff)
      : source_(&source), base_(base), big_endian_(big_endian), big_tiff_(big_tiff) {}
  std::optional<std::uint64_t> u(std::uint64_t offset, int bytes) const {
    return source_->integer(offset, bytes, big_endian_);
  }
  bool read_entries(std::uint64_t offset);

  const ByteSource* source_ = nullptr;
  std::uint64_t base_ = 0;
  bool big_endian_ = false;
  bool big_tiff_ = false;
  std::map<std::uint16_t, Entry> entries_;
};

/// Tags of the TIFF 6.0 and Exif 2.32 specifications that the program reads.
namespace tag {
inline constexpr std::uint16_t kImageWidth = 256, kImageLength = 257, kMake = 271, kModel = 272,
                               kOrientation = 274, kXmp = 700, kExifDirectory = 34665, kGpsDirectory = 34853;
inline constexpr std::uint16_t kDateTime = 306, kDateTimeOriginal = 36867, kFocalLength = 37386,
                               kFocalLengthIn35mm = 41989;
inline constexpr std::uint16_t kGpsLatitudeRef = 1, kGpsLatitude = 2, kGpsLongitudeRef = 3, kGpsLongitude = 4,
                               kGpsAltitudeRef = 5, kGpsAltitude = 6, kGpsTrackRef = 14, kGpsTrack = 15,
                               kGpsImageDirectionRef = 16, kGpsImageDirection = 17;
}  // namespace tag

}  // namespace imatch
