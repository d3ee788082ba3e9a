// SPDX-License-Identifier: Apache-2.0
//
// As in jpeg_pixels.cpp, the error handler and check_stop throw through the library.
#include <fmt/format.h>
#include <png.h>
#include <zlib.h>

#include <new>
#include <utility>

#include "base/error.h"
#include "base/stop.h"
#include "image/encoders.h"

namespace imatch {
namespace {

class PngEncoder {
 public:
  PngEncoder() {
    png_ = png_create_write_struct(
        PNG_LIBPNG_VER_STRING, nullptr,
        [](png_structp, png_const_charp why) { throw Error(fmt::format("encode: {}", why)); },
        [](png_structp, png_const_charp) {});
    if (png_) info_ = png_create_info_struct(png_);
    if (!info_) throw std::bad_alloc();
    png_set_write_fn(
        png_, this,
        [](png_structp png, png_bytep bytes, std::size_t count) {
          static_cast<PngEncoder*>(png_get_io_ptr(png))
              ->bytes_.append(reinterpret_cast<const char*>(bytes), count);
        },
        nullptr);
  }
  ~PngEncoder() { png_destroy_write_struct(&png_, &info_); }
  PngEncoder(const PngEncoder&) = delete;
  PngEncoder& operator=(const PngEncoder&) = delete;

  std::string write(const Image& image, int compression) {
    png_set_compression_level(png_, compression);
    png_set_compression_strategy(png_,
                                 Z_DEFAULT_STRATEGY);  // libpng's own for filtered rows packs photos less
    png_set_IHDR(png_, info_, static_cast<png_uint_32>(image.width), static_cast<png_uint_32>(image.height),
                 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png_, info_);
    for (int y = 0; y < image.height; ++y) {
      check_stop();
      png_write_row(png_, image.pixel(0, y));
    }
    png_write_end(png_, info_);
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

}  // namespace

std::string encode_png(const Image& image, int compression) {
  return PngEncoder().write(image, compression);
}

}  // namespace imatch
