// SPDX-License-Identifier: Apache-2.0
#include "image/picture_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "image/png_text.h"
#include "image/xmp.h"

namespace imatch {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n";
constexpr std::string_view kJpegExif = "Exif\0\0"sv;
constexpr std::string_view kJpegXmp = "http://ns.adobe.com/xap/1.0/\0"sv;

[[noreturn]] void fail(const std::string& name, const std::string& why) {
  throw Failure(code::kBadFormat, name + ": " + why);
}

[[noreturn]] void fail_truncated(const std::string& name, PictureFormat format) {
  fail(name, fmt::format("truncated {} file", name_of(format)));
}

/// A number that must be there.
std::uint64_t need(std::optional<std::uint64_t> value, const std::string& name, PictureFormat format) {
  if (!value) fail_truncated(name, format);
  return *value;
}

/// A packet is a few kilobytes; more than this is damage.
constexpr std::uint64_t kLargestXmp = 16 << 20;

std::string xmp_at(const ByteSource& source, std::uint64_t offset, std::uint64_t size) {
  if (size > kLargestXmp) return "";
  return source.text(offset, static_cast<std::size_t>(size)).value_or("");
}

/// EXIF's where it says one, else XMP's.
int orientation_of(const PictureHeader& header) {
  std::optional<std::int64_t> said;
  if (header.exif) said = header.exif->integer(tag::kOrientation);
  if (!said && !header.xmp.empty())
    if (const auto number = XmpProperties(header.xmp).number("tiff", "Orientation"))
      said = static_cast<std::int64_t>(*number);
  return said && *said >= 1 && *said <= 8 ? static_cast<int>(*said) : 1;
}

// JPEG (ITU-T T.81, annex B): markers 0xFF 0xXX, most followed by a big-endian length that counts itself.

bool is_frame_header(int marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}
bool is_standalone(int marker) {
  return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);
}
constexpr int kEndOfImage = 0xD9, kStartOfScan = 0xDA, kApp1 = 0xE1;

void read_jpeg(const ByteSource& source, const std::string& name, PictureHeader& header) {
  const auto byte = [&](std::uint64_t at) {
    return static_cast<int>(need(source.u8(at), name, header.format));
  };
  std::uint64_t at = 2;
  for (;;) {
    while (byte(at) != 0xFF)
      ++at;  // stray bytes between segments are met in the wild, and skipped by every reader
    while (byte(at) == 0xFF) ++at;
    const int marker = byte(at++);
    if (marker == 0 || is_standalone(marker)) continue;
    if (marker == kStartOfScan || marker == kEndOfImage) break;
    const std::uint64_t length = need(source.integer(at, 2, true), name, header.format);
    if (length < 2) fail(name, "damaged JPEG header");
    const std::uint64_t data = at + 2;
    if (is_frame_header(marker) && header.width == 0) {
      header.height = static_cast<std::int64_t>(need(source.integer(data + 1, 2, true), name, header.format));
      header.width = static_cast<std::int64_t>(need(source.integer(data + 3, 2, true), name, header.format));
    } else if (marker == kApp1 && !header.exif && source.has(data, kJpegExif)) {
      header.exif = TiffDirectory::first(source, data + kJpegExif.size());
    } else if (marker == kApp1 && header.xmp.empty() && source.has(data, kJpegXmp) &&
               length - 2 > kJpegXmp.size()) {
      header.xmp = xmp_at(source, data + kJpegXmp.size(), length - 2 - kJpegXmp.size());
    }
    at += length;
  }
}

// PNG: an 8-byte signature, then chunks: length, type, data, CRC.

void read_png(const ByteSource& source, const std::string& name, PictureHeader& header) {
  if (!source.has(12, "IHDR")) fail(name, "damaged PNG header");
  header.width = static_cast<std::int64_t>(need(source.integer(16, 4, true), name, header.format));
  header.height = static_cast<std::int64_t>(need(source.integer(20, 4, true), name, header.format));
  for (std::uint64_t at = kPngSignature.size();;) {
    const auto length = source.integer(at, 4, true);
    if (!length || source.has(at + 4, "IEND")) return;
    const std::uint64_t data = at + 8;
    if (source.has(at + 4, "eXIf")) header.exif = TiffDirectory::first(source, data);  // before those in text
    if (source.has(at + 4, "tEXt") || source.has(at + 4, "zTXt") || source.has(at + 4, "iTXt"))
      take_png_text(source, data, *length, *source.text(at + 4, 4), header);
    at = data + *length + 4;
  }
}

// WebP: a RIFF file whose first chunk is VP8 (lossy), VP8L (lossless) or VP8X (extended).

void read_webp(const ByteSource& source, const std::string& name, PictureHeader& header) {
  const auto u = [&](std::uint64_t at, int bytes) {
    return static_cast<std::int64_t>(need(source.integer(at, bytes, false), name, header.format));
  };
  constexpr std::uint64_t kFirst = 20;  // data of the first chunk
  if (source.has(12, "VP8X")) {
    header.width = u(kFirst + 4, 3) + 1;
    header.height = u(kFirst + 7, 3) + 1;
  } else if (source.has(12, "VP8L")) {
    const std::int64_t sides = u(kFirst + 1, 4);
    header.width = (sides & 0x3FFF) + 1;
    header.height = (sides >> 14 & 0x3FFF) + 1;
  } else if (source.has(12, "VP8 ")) {
    header.width = u(kFirst + 6, 2) & 0x3FFF;
    header.height = u(kFirst + 8, 2) & 0x3FFF;
  } else {
    fail(name, "damaged WebP header");
  }
  for (std::uint64_t at = 12;;) {
    const auto length = source.integer(at + 4, 4, false);
    if (!length) return;
    const std::uint64_t data = at + 8;
    // Some writers keep JPEG's prefix.
    if (source.has(at, "EXIF"))
      header.exif = TiffDirectory::first(source, data + (source.has(data, kJpegExif) ? kJpegExif.size() : 0));
    if (source.has(at, "XMP ")) {
      header.xmp = xmp_at(source, data, *length);
    }
    at = data + *length + *length % 2;
  }
}

// BMP: file header of 14 bytes, then an information header that begins with its own size.

void read_bmp(const ByteSource& source, const std::string& name, PictureHeader& header) {
  const auto u = [&](std::uint64_t at, int bytes) {
    return need(source.integer(at, bytes, false), name, header.format);
  };
  const bool core_header = u(14, 4) == 12;  // OS/2
  if (core_header) {
    header.width = static_cast<std::int64_t>(u(18, 2));
    header.height = static_cast<std::int64_t>(u(20, 2));
  } else {
    header.width = static_cast<std::int32_t>(u(18, 4));
    header.height =
        std::abs(static_cast<std::int64_t>(static_cast<std::int32_t>(u(22, 4))));  // < 0: top row first
  }
}

void read_tiff(const ByteSource& source, const std::string& name, PictureHeader& header) {
  header.exif = TiffDirectory::first(source, 0);
  if (!header.exif) fail_truncated(name, header.format);
  header.width = header.exif->integer(tag::kImageWidth).value_or(0);
  header.height = header.exif->integer(tag::kImageLength).value_or(0);
  if (const auto* xmp = header.exif->find(tag::kXmp)) header.xmp = xmp_at(source, xmp->offset, xmp->count);
}

std::optional<PictureFormat> recognise(const ByteSource& source) {
  if (source.has(0, "\xFF\xD8\xFF")) return PictureFormat::kJpeg;
  if (source.has(0, kPngSignature)) return PictureFormat::kPng;
  for (const auto magic : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv})
    if (source.has(0, magic)) return PictureFormat::kTiff;
  if (source.has(0, "RIFF") && source.has(8, "WEBP")) return PictureFormat::kWebp;
  if (source.has(0, "BM")) return PictureFormat::kBmp;
  return {};
}

}  // namespace

const char* name_of(PictureFormat format) {
  static constexpr const char* kNames[] = {"JPEG", "PNG", "TIFF", "WebP", "BMP"};
  return kNames[static_cast<int>(format)];
}

PictureHeader read_picture_header(const ByteSource& source, const std::string& name) {
  if (source.size() == 0) fail(name, "empty file, not a picture");
  const auto format = recognise(source);
  if (!format) fail(name, "not a picture; expected JPEG, PNG, TIFF, WebP or BMP");
  PictureHeader header;
  header.format = *format;
  switch (*format) {
    case PictureFormat::kJpeg:
      read_jpeg(source, name, header);
      break;
    case PictureFormat::kPng:
      read_png(source, name, header);
      break;
    case PictureFormat::kTiff:
      read_tiff(source, name, header);
      break;
    case PictureFormat::kWebp:
      read_webp(source, name, header);
      break;
    case PictureFormat::kBmp:
      read_bmp(source, name, header);
      break;
  }
  if (header.width <= 0 || header.height <= 0 || header.width > INT32_MAX || header.height > INT32_MAX)
    fail(name, fmt::format("damaged {} header: size {} x {}", name_of(*format), header.width, header.height));
  header.orientation = orientation_of(header);
  return header;
}

}  // namespace imatch
