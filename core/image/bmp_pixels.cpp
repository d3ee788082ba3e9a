// SPDX-License-Identifier: Apache-2.0
//
// BMP of Windows (headers of 40, 52, 56, 108 and 124 bytes) and OS/2 (12, and 16 to 64): 1 to 32 bits, run
// lengths, bit fields. Format: learn.microsoft.com/windows/win32/gdi/bitmap-storage
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "base/error.h"
#include "base/stop.h"
#include "image/pixels.h"

namespace imatch {
namespace {

enum Compression : std::uint64_t { kPlain = 0, kRle8 = 1, kRle4 = 2, kBitFields = 3, kAlphaBitFields = 6 };

/// Where a channel lies in a pixel's bits.
struct ChannelBits {
  std::uint32_t mask = 0;

  std::uint8_t value(std::uint32_t pixel) const {
    if (mask == 0) return 0;
    const int shift = std::countr_zero(mask);
    const std::uint64_t most = mask >> shift;
    const std::uint64_t value = (pixel & mask) >> shift;  // a mask with a hole in it counts its zeros too
    return static_cast<std::uint8_t>((value * 255 + most / 2) / most);
  }
};

class BmpReader {
 public:
  BmpReader(std::string_view bytes, const PictureHeader& header, const std::string& name)
      : source_(bytes),
        bytes_(bytes),
        name_(name),
        image_(static_cast<int>(header.width), static_cast<int>(header.height)) {}

  Image read() {
    header_size_ = u(14, 4);
    const bool core = header_size_ == 12;
    if (!core && header_size_ < 16) fail_damaged(name_, fmt::format("a header of {} bytes", header_size_));
    bits_ = static_cast<int>(core ? u(24, 2) : u(28, 2));
    compression_ = core || header_size_ < 20 ? std::uint64_t{kPlain} : u(30, 4);
    top_down_ = !core && static_cast<std::int32_t>(u(22, 4)) < 0;
    const bool os2 = core || header_size_ == 16 || header_size_ == 64;
    if (os2 && compression_ > kRle4) refuse(fmt::format("OS/2 compression {}", compression_));
    const bool runs = compression_ == kRle8 || compression_ == kRle4;
    const bool fields = compression_ == kBitFields || compression_ == kAlphaBitFields;
    if (!runs && !fields && compression_ != kPlain) refuse(fmt::format("compression {}", compression_));
    if ((compression_ == kRle8 && bits_ != 8) || (compression_ == kRle4 && bits_ != 4) ||
        (fields && bits_ != 16 && bits_ != 32))
      fail_damaged(name_, fmt::format("compression {} with {} bits", compression_, bits_));
    if (runs && top_down_) fail_damaged(name_, "run lengths from the top down");
    if (bits_ == 1 || bits_ == 2 || bits_ == 4 || bits_ == 8)
      read_palette(core ? 3 : 4);
    else if (bits_ == 16 || bits_ == 32)
      read_fields(fields);
    else if (bits_ != 24)
      refuse(fmt::format("{} bits a pixel", bits_));
    data_ = u(10, 4);
    if (data_ < 14 + header_size_) fail_damaged(name_, fmt::format("pixels at byte {}", data_));
    if (runs)
      read_runs();
    else
      read_rows();
    return std::move(image_);
  }

 private:
  using Colour = std::array<std::uint8_t, 3>;

  std::uint64_t u(std::uint64_t at, int count) const {
    const auto value = source_.integer(at, count, false);
    if (!value) fail_damaged(name_, "the file ends before its picture");
    return *value;
  }
  [[noreturn]] void refuse(const std::string& what) const {
    throw Failure(
        code::kBadFormat,
        fmt::format("{}: BMP with {}; expected 1, 2, 4, 8, 16, 24 or 32 bits, plain, with run lengths or "
                    "with bit fields",
                    name_, what));
  }

  /// What the file has no colour for is black.
  void read_palette(std::uint64_t entry_bytes) {
    const std::uint64_t most = std::uint64_t{1} << bits_;
    const std::uint64_t said = header_size_ >= 36 ? u(46, 4) : 0;
    const std::uint64_t count = said == 0 || said > most ? most : said;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t at = 14 + header_size_ + i * entry_bytes;
      if (at + entry_bytes > u(10, 4)) break;  // a palette shorter than it says, with the pixels behind it
      palette_[i] = {static_cast<std::uint8_t>(u(at + 2, 1)), static_cast<std::uint8_t>(u(at + 1, 1)),
                     static_cast<std::uint8_t>(u(at, 1))};
    }
  }

  /// The masks stand behind a header of 40 bytes, and in the same place inside of a longer one.
  void read_fields(bool stored) {
    constexpr std::array<std::uint32_t, 3> k555{0x7C00, 0x03E0, 0x001F}, k888{0xFF0000, 0xFF00, 0xFF};
    for (std::size_t c = 0; c < 3; ++c)
      fields_[c].mask = stored        ? static_cast<std::uint32_t>(u(54 + 4 * c, 4))
                        : bits_ == 16 ? k555[c]
                                      : k888[c];
  }

  std::uint8_t* row(std::uint64_t stored) {
    const int y = static_cast<int>(stored);
    return image_.pixel(0, top_down_ ? y : image_.height - 1 - y);
  }

  void read_rows() {
    const auto width = static_cast<std::uint64_t>(image_.width),
               height = static_cast<std::uint64_t>(image_.height);
    const std::uint64_t stride = (width * static_cast<std::uint64_t>(bits_) + 31) / 32 * 4;
    // The padding of the last row may be missing.
    const std::uint64_t last = (width * static_cast<std::uint64_t>(bits_) + 7) / 8;
    if (data_ > bytes_.size() || stride * (height - 1) + last > bytes_.size() - data_)
      fail_damaged(name_, "the file ends before its picture");
    for (std::uint64_t y = 0; y < height; ++y) {
      if (y % 64 == 0) check_stop();
      const auto* in = reinterpret_cast<const std::uint8_t*>(bytes_.data()) + data_ + y * stride;
      std::uint8_t* out = row(y);
      for (std::uint64_t x = 0; x < width; ++x, out += 3) {
        const Colour colour = pixel(in, x);
        out[0] = colour[0], out[1] = colour[1], out[2] = colour[2];
      }
    }
  }

  Colour pixel(const std::uint8_t* in, std::uint64_t x) const {
    if (bits_ == 24) return {in[3 * x + 2], in[3 * x + 1], in[3 * x]};
    if (bits_ <= 8) {
      const std::uint64_t bit = x * static_cast<std::uint64_t>(bits_);
      return palette_[static_cast<std::size_t>(in[bit / 8] >> (8 - bits_ - static_cast<int>(bit % 8)) &
                                               ((1 << bits_) - 1))];
    }
    std::uint32_t value = 0;
    for (int b = bits_ / 8 - 1; b >= 0; --b)
      value = value << 8 | in[x * static_cast<std::uint64_t>(bits_ / 8) + static_cast<std::uint64_t>(b)];
    return {fields_[0].value(value), fields_[1].value(value), fields_[2].value(value)};
  }

  /// Pixels that are skipped have the first colour. A file that runs over a row's end, or ends before it says
  /// so, is damaged.
  void read_runs() {
    for (std::size_t i = 0; i < image_.rgb.size(); ++i) image_.rgb[i] = palette_[0][i % 3];
    const auto width = static_cast<std::uint64_t>(image_.width),
               height = static_cast<std::uint64_t>(image_.height);
    std::uint64_t at = data_, x = 0, y = 0;
    const auto put = [&](std::uint64_t index) {
      if (x >= width || y >= height) fail_damaged(name_, "a run of pixels leaves the picture");
      const Colour& colour = palette_[index];
      std::copy_n(colour.begin(), 3, row(y) + 3 * x++);
    };
    const auto next = [&] { return u(at++, 1); };
    for (;;) {
      if (y >= height && at >= bytes_.size()) return;  // all rows are there
      const std::uint64_t count = next(), value = next();
      if (count > 0) {
        for (std::uint64_t i = 0; i < count; ++i)
          put(bits_ == 8 ? value : i % 2 == 0 ? value >> 4 : value & 15);
      } else if (value == 0) {
        x = 0, ++y;
        check_stop();
      } else if (value == 1) {
        return;
      } else if (value == 2) {
        x += next();
        y += next();
        if (x > width || y > height) fail_damaged(name_, "a run of pixels leaves the picture");
      } else {
        std::uint64_t byte = 0;
        const std::uint64_t begin = at;
        for (std::uint64_t i = 0; i < value; ++i) {
          if (bits_ == 8 || i % 2 == 0) byte = next();
          put(bits_ == 8 ? byte : i % 2 == 0 ? byte >> 4 : byte & 15);
        }
        at += (at - begin) % 2;
      }
    }
  }

  MemorySource source_;
  std::string_view bytes_;
  const std::string& name_;
  Image image_;
  std::uint64_t header_size_ = 0, compression_ = 0, data_ = 0;
  int bits_ = 0;
  bool top_down_ = false;
  std::array<Colour, 256> palette_{};
  std::array<ChannelBits, 3> fields_{};
};

}  // namespace

Image bmp_pixels(std::string_view bytes, const PictureHeader& header, const std::string& name) {
  return BmpReader(bytes, header, name).read();
}

}  // namespace imatch
