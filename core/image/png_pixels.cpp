// SPDX-License-Identifier: Apache-2.0
//
// As in jpeg_pixels.cpp, the error handler throws through the library.
#include <png.h>

#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/stop.h"
#include "image/pixels.h"

namespace imatch {
namespace {

class PngDecoder {
 public:
  PngDecoder(std::string_view bytes, const std::string& name) : rest_(bytes), name_(name) {
    png_ = png_create_read_struct(
        PNG_LIBPNG_VER_STRING, this,
        [](png_structp png, png_const_charp why) {
          fail_damaged(static_cast<PngDecoder*>(png_get_error_ptr(png))->name_, why);
        },
        [](png_structp, png_const_charp) {});
    if (png_) info_ = png_create_info_struct(png_);
    if (!info_) throw std::bad_alloc();
    png_set_read_fn(png_, this, [](png_structp png, png_bytep out, std::size_t count) {
      std::string_view& rest = static_cast<PngDecoder*>(png_get_io_ptr(png))->rest_;
      if (count > rest.size()) png_error(png, "the file ends before its picture");
      std::memcpy(out, rest.data(), count);
      rest.remove_prefix(count);
    });
  }
  ~PngDecoder() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;

  Image read(const PictureHeader& header) {
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    // What says nothing of the pixels as they are stored is not even looked at, be it damaged or huge.
    static constexpr png_byte kUnused[] =
        "iCCP\0sRGB\0gAMA\0cHRM\0tEXt\0zTXt\0iTXt\0eXIf\0pHYs\0tIME\0sPLT\0hIST\0bKGD\0oFFs\0pCAL\0sCAL";
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, kUnused, sizeof(kUnused) / 5);
    png_read_info(png_, info_);
    require_size(header, png_get_image_width(png_, info_), png_get_image_height(png_, info_), name_);
    png_set_scale_16(png_);
    png_set_palette_to_rgb(png_);
    png_set_expand_gray_1_2_4_to_8(png_);
    png_set_gray_to_rgb(png_);
    png_set_strip_alpha(png_);
    const int passes = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    Image image(static_cast<int>(header.width), static_cast<int>(header.height));
    if (png_get_rowbytes(png_, info_) != 3 * static_cast<std::size_t>(image.width))
      fail_damaged(name_, "rows of another length");
    for (int pass = 0; pass < passes; ++pass)
      for (int y = 0; y < image.height; ++y) {
        if (y % 64 == 0) check_stop();
        png_read_row(png_, image.pixel(0, y), nullptr);
      }
    return image;
  }

 private:
  std::string_view rest_;
  const std::string& name_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

}  // namespace

Image png_pixels(std::string_view bytes, const PictureHeader& header, const std::string& name) {
  return PngDecoder(bytes, name).read(header);
}

}  // namespace imatch
