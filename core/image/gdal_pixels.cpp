// SPDX-License-Identifier: Apache-2.0
#include "image/gdal_pixels.h"

#include <cpl_error.h>
#include <cpl_vsi.h>
#include <fmt/format.h>
#include <gdal.h>
#include <gdal_frmts.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "base/error.h"
#include "base/stop.h"

namespace imatch {
namespace {

/// Only the five drivers the program reads pictures with: GDALAllRegister takes many times as long.
const char* driver_for(PictureFormat format) {
  static std::once_flag once;
  std::call_once(once, [] {
    GDALRegister_JPEG();
    GDALRegister_PNG();
    GDALRegister_GTiff();
    GDALRegister_BMP();
    GDALRegister_WEBP();
  });
  static constexpr const char* kDrivers[] = {"JPEG", "PNG", "GTiff", "WEBP", "BMP"};
  return kDrivers[static_cast<int>(format)];
}

/// Collects what GDAL and the libraries under it have to say, on this thread, in place of standard error.
class Messages {
 public:
  Messages() { CPLPushErrorHandlerEx(&Messages::take, this); }
  ~Messages() {
    CPLPopErrorHandler();
    CPLErrorReset();
  }
  Messages(const Messages&) = delete;
  Messages& operator=(const Messages&) = delete;

  /// The first message that means that pixels are wrong; "" when all is well.
  const std::string& damage() const { return damage_; }

 private:
  static void CPL_STDCALL take(CPLErr level, CPLErrorNum, const char* text) {
    auto& self = *static_cast<Messages*>(CPLGetErrorHandlerUserData());
    const std::string_view message = text;
    // libjpeg warns, and goes on, both of quirks that change no pixel and of broken data.
    const bool broken_jpeg = message.find("premature end") != std::string_view::npos ||
                             message.find("Premature end") != std::string_view::npos ||
                             message.find("bad Huffman code") != std::string_view::npos ||
                             message.find("instead of RST") != std::string_view::npos;
    if (self.damage_.empty() && (level >= CE_Failure || broken_jpeg))
      self.damage_ = message.substr(0, message.find('\n'));
  }
  std::string damage_;
};

/// A name under which GDAL finds the bytes.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) {
    static std::atomic<std::uint64_t> next{0};
    path_ = fmt::format("/vsimem/imatch-picture-{}", next++);
    // GDAL's interface wants it writable; a data set opened read-only leaves it alone.
    auto* data = reinterpret_cast<GByte*>(const_cast<char*>(bytes.data()));
    VSIFCloseL(VSIFileFromMemBuffer(path_.c_str(), data, bytes.size(), FALSE));
  }
  ~MemoryFile() { VSIUnlink(path_.c_str()); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  const char* path() const { return path_.c_str(); }

 private:
  std::string path_;
};

struct CloseDataset {
  void operator()(void* dataset) const { GDALClose(dataset); }
};
using Dataset = std::unique_ptr<void, CloseDataset>;

/// 256 grey or palette values -> RGB.
using Palette = std::array<std::array<std::uint8_t, 3>, 256>;

Palette palette_of(GDALRasterBandH band) {
  Palette palette{};
  if (const GDALColorTableH table = GDALGetRasterColorTable(band)) {
    const int entries = std::min(GDALGetColorEntryCount(table), 256);
    for (int i = 0; i < entries; ++i) {
      const GDALColorEntry* colour = GDALGetColorEntry(table, i);
      palette[static_cast<std::size_t>(i)] = {static_cast<std::uint8_t>(colour->c1),
                                              static_cast<std::uint8_t>(colour->c2),
                                              static_cast<std::uint8_t>(colour->c3)};
    }
    return palette;
  }
  const char* bits = GDALGetMetadataItem(band, "NBITS", "IMAGE_STRUCTURE");
  const int most = bits ? (1 << std::clamp(std::atoi(bits), 1, 8)) - 1 : 255;
  const char* white = GDALGetMetadataItem(band, "MINISWHITE", "IMAGE_STRUCTURE");
  for (int i = 0; i < 256; ++i) {
    const int grey = (std::min(i, most) * 255 + most / 2) / most;
    const auto value = static_cast<std::uint8_t>(white && EQUAL(white, "YES") ? 255 - grey : grey);
    palette[static_cast<std::size_t>(i)] = {value, value, value};
  }
  return palette;
}

class Reader {
 public:
  Reader(GDALDatasetH dataset, const Messages& messages, const std::string& name)
      : dataset_(dataset),
        messages_(messages),
        name_(name),
        image_(GDALGetRasterXSize(dataset), GDALGetRasterYSize(dataset)) {}

  Image read() {
    const int bands = GDALGetRasterCount(dataset_);
    const GDALDataType type = GDALGetRasterDataType(GDALGetRasterBand(dataset_, 1));
    if (type != GDT_Byte && type != GDT_UInt16)
      fail(fmt::format("{} samples; expected 8 or 16 bits without sign", GDALGetDataTypeName(type)));
    if (bands >= 3 && type == GDT_Byte) read_rgb();
    if (bands >= 3 && type == GDT_UInt16) read_wide(3);
    if (bands < 3 && type == GDT_Byte) read_indexed();
    if (bands < 3 && type == GDT_UInt16) read_wide(1);
    return std::move(image_);
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw Failure(code::kBadFormat, name_ + ": " + why);
  }

  /// Rows read in one go: enough to be quick, few enough that Ctrl-C is answered.
  int rows_at_once() const {
    return std::max(1, std::min(image_.height, (1 << 24) / std::max(1, image_.width)));
  }

  void read_rows(int top, int rows, void* out, GDALDataType type, int bands) {
    check_stop();
    int map[] = {1, 2, 3};
    const int bytes = GDALGetDataTypeSizeBytes(type);
    const auto result =
        GDALDatasetRasterIOEx(dataset_, GF_Read, 0, top, image_.width, rows, out, image_.width, rows, type,
                              bands, map, static_cast<GSpacing>(bytes) * bands,
                              static_cast<GSpacing>(bytes) * bands * image_.width, bytes, nullptr);
    if (result != CE_None || !messages_.damage().empty())
      fail("truncated or damaged: " +
           (messages_.damage().empty() ? "unreadable pixels" : messages_.damage()));
  }

  template <class Convert>
  void for_strips(Convert convert) {
    const int step = rows_at_once();
    for (int top = 0; top < image_.height; top += step) convert(top, std::min(step, image_.height - top));
  }

  /// Straight into the picture, in one call: only then do the JPEG and PNG drivers pass rows on without a
  /// cache.
  void read_rgb() { read_rows(0, image_.height, image_.rgb.data(), GDT_Byte, 3); }

  void read_indexed() {
    const Palette palette = palette_of(GDALGetRasterBand(dataset_, 1));
    std::vector<std::uint8_t> strip(static_cast<std::size_t>(rows_at_once()) *
                                    static_cast<std::size_t>(image_.width));
    for_strips([&](int top, int rows) {
      read_rows(top, rows, strip.data(), GDT_Byte, 1);
      std::uint8_t* out = image_.pixel(0, top);
      const std::size_t count = static_cast<std::size_t>(rows) * static_cast<std::size_t>(image_.width);
      for (std::size_t i = 0; i < count; ++i, out += 3) std::copy_n(palette[strip[i]].data(), 3, out);
    });
  }

  void read_wide(int bands) {
    const auto samples_a_row = static_cast<std::size_t>(image_.width) * static_cast<std::size_t>(bands);
    std::vector<std::uint16_t> strip(static_cast<std::size_t>(rows_at_once()) * samples_a_row);
    for_strips([&](int top, int rows) {
      read_rows(top, rows, strip.data(), GDT_UInt16, bands);
      std::uint8_t* out = image_.pixel(0, top);
      const int repeat = 3 / bands;
      for (std::size_t i = 0; i < static_cast<std::size_t>(rows) * samples_a_row; ++i)
        for (int k = 0; k < repeat; ++k)
          *out++ = static_cast<std::uint8_t>((strip[i] * 255u + 32767u) / 65535u);
    });
  }

  GDALDatasetH dataset_;
  const Messages& messages_;
  const std::string& name_;
  Image image_;
};

}  // namespace

Image decode_pixels(std::string_view bytes, const PictureHeader& header, const std::string& name) {
  const char* const drivers[] = {driver_for(header.format), nullptr};
  const MemoryFile file(bytes);
  const Messages messages;
  // No sibling files: nothing but these bytes may change the result.
  const char* const siblings[] = {nullptr};
  const Dataset dataset(
      GDALOpenEx(file.path(), GDAL_OF_RASTER | GDAL_OF_READONLY, drivers, nullptr, siblings));
  if (!dataset || GDALGetRasterCount(dataset.get()) < 1)
    throw Failure(code::kBadFormat, fmt::format("{}: damaged {} file{}", name, name_of(header.format),
                                                messages.damage().empty() ? "" : ": " + messages.damage()));
  if (GDALGetRasterXSize(dataset.get()) != header.width || GDALGetRasterYSize(dataset.get()) != header.height)
    throw Failure(code::kBadFormat,
                  fmt::format("{}: damaged {} file: contradictory sizes", name, name_of(header.format)));
  return Reader(dataset.get(), messages, name).read();
}

}  // namespace imatch
