// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstring>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/stop.h"
#include "image/pixels.h"
#include "image/tiff_samples.h"

namespace imatch {
namespace {

/// The file in memory, and what libtiff has to say of it.
struct TiffMemory {
  std::string_view bytes;
  std::uint64_t position = 0;
  std::string problem;  ///< The first that means that pixels are wrong.

  void note(bool is_error, const char* module, const char* format, va_list arguments) {
    char text[512];
    std::vsnprintf(text, sizeof(text), format, arguments);
    const std::string_view message = text;
    const bool damage = is_error || means_broken_jpeg(message) || message.find("Discarding") != message.npos;
    if (damage && problem.empty()) problem = module ? fmt::format("{}: {}", module, text) : text;
  }
};

template <bool is_error>
int take_message(TIFF*, void* memory, const char* module, const char* format, va_list arguments) {
  static_cast<TiffMemory*>(memory)->note(is_error, module, format, arguments);
  return 1;
}

tmsize_t read_bytes(thandle_t handle, void* out, tmsize_t count) {
  auto& memory = *static_cast<TiffMemory*>(handle);
  const std::uint64_t left =
      memory.bytes.size() - std::min<std::uint64_t>(memory.position, memory.bytes.size());
  const std::uint64_t taken = std::min(left, static_cast<std::uint64_t>(count));
  if (taken > 0) std::memcpy(out, memory.bytes.data() + memory.position, taken);
  memory.position += taken;
  return static_cast<tmsize_t>(taken);
}
tmsize_t write_nothing(thandle_t, void*, tmsize_t) {
  return 0;
}
toff_t seek(thandle_t handle, toff_t offset, int whence) {
  auto& memory = *static_cast<TiffMemory*>(handle);
  memory.position = offset + (whence == SEEK_CUR   ? memory.position
                              : whence == SEEK_END ? memory.bytes.size()
                                                   : 0);
  return memory.position;
}
int close_nothing(thandle_t) {
  return 0;
}
toff_t size_of(thandle_t handle) {
  return static_cast<TiffMemory*>(handle)->bytes.size();
}

struct CloseTiff {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};
using Tiff = std::unique_ptr<TIFF, CloseTiff>;

Tiff open_tiff(TiffMemory& memory) {
  const std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions*)> options(TIFFOpenOptionsAlloc(),
                                                                             TIFFOpenOptionsFree);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), take_message<true>, &memory);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), take_message<false>, &memory);
  // "m": through the functions, since what is mapped is read without their checks.
  return Tiff(TIFFClientOpenExt("memory", "rm", &memory, read_bytes, write_nothing, seek, close_nothing,
                                size_of, nullptr, nullptr, options.get()));
}

class TiffReader {
 public:
  TiffReader(TIFF* tiff, const TiffMemory& memory, const PictureHeader& header, const std::string& name)
      : tiff_(tiff), memory_(memory), name_(name) {
    std::uint32_t width = 0, height = 0;
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    require_size(header, width, height, name);
  }

  Image read() {
    colour_.bits = field(TIFFTAG_BITSPERSAMPLE);
    colour_.samples = field(TIFFTAG_SAMPLESPERPIXEL);
    const int format = field(TIFFTAG_SAMPLEFORMAT);
    if ((format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID) || colour_.bits < 1 || colour_.bits > 16)
      refuse(fmt::format("{}-bit {} samples; expected 1 to 16 bits without sign", colour_.bits,
                         format == SAMPLEFORMAT_IEEEFP ? "floating-point"
                         : format == SAMPLEFORMAT_INT  ? "signed"
                                                       : "integer"));
    if (!TIFFIsCODECConfigured(static_cast<std::uint16_t>(field(TIFFTAG_COMPRESSION))))
      refuse(fmt::format("compression {}, which libtiff does not have", field(TIFFTAG_COMPRESSION)));
    std::uint16_t photometric = 0;
    if (!TIFFGetField(tiff_, TIFFTAG_PHOTOMETRIC, &photometric))
      photometric = colour_.samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
    if (photometric == PHOTOMETRIC_YCBCR && field(TIFFTAG_COMPRESSION) != COMPRESSION_JPEG)
      return read_ycbcr();
    interpret(photometric);
    return read_blocks();
  }

 private:
  int field(std::uint32_t tag) const {
    std::uint16_t value = 0;
    TIFFGetFieldDefaulted(tiff_, tag, &value);
    return value;
  }
  [[noreturn]] void refuse(const std::string& what) const {
    throw Failure(code::kBadFormat, name_ + ": " + what);
  }
  void require_undamaged(bool ok) const {
    if (!ok || !memory_.problem.empty())
      fail_damaged(name_, memory_.problem.empty() ? "unreadable pixels" : memory_.problem);
  }

  void interpret(int photometric) {
    using Kind = TiffColour::Kind;
    switch (photometric) {
      case PHOTOMETRIC_MINISWHITE:
        colour_.kind = Kind::kInvertedGrey;
        break;
      case PHOTOMETRIC_MINISBLACK:
        colour_.kind = Kind::kGrey;
        break;
      case PHOTOMETRIC_YCBCR:  // of a JPEG: libjpeg makes it RGB
        TIFFSetField(tiff_, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        [[fallthrough]];
      case PHOTOMETRIC_RGB:
        colour_.kind = Kind::kRgb;
        break;
      case PHOTOMETRIC_PALETTE:
        colour_.kind = Kind::kPalette;
        read_palette();
        break;
      case PHOTOMETRIC_SEPARATED:
        if (field(TIFFTAG_INKSET) != INKSET_CMYK) refuse("inks other than cyan, magenta, yellow and black");
        colour_.kind = Kind::kCmyk;
        break;
      case PHOTOMETRIC_CIELAB:
      case PHOTOMETRIC_ICCLAB:
        if (colour_.bits != 8 && colour_.bits != 16)
          refuse(fmt::format("CIE L*a*b* of {} bits", colour_.bits));
        colour_.kind = photometric == PHOTOMETRIC_CIELAB ? Kind::kLab : Kind::kIccLab;
        break;
      default:
        refuse(fmt::format(
            "photometric interpretation {}; expected grey, RGB, a palette, CMYK, YCbCr or CIE L*a*b*",
            photometric));
    }
    if (colour_.samples < colour_.colours())
      refuse(fmt::format("{} samples a pixel where its colour takes {}", colour_.samples, colour_.colours()));
    std::uint16_t extra = 0;
    const std::uint16_t* kinds = nullptr;
    if (TIFFGetField(tiff_, TIFFTAG_EXTRASAMPLES, &extra, &kinds) && extra > 0 &&
        kinds[0] == EXTRASAMPLE_ASSOCALPHA && colour_.samples > colour_.colours() &&
        colour_.kind != Kind::kPalette)
      colour_.premultiplied = colour_.colours();
  }

  /// Entries have 16 bits. Some writers multiply 8 of them by 257, some by 256, and some leave them as they
  /// are.
  void read_palette() {
    std::uint16_t *red = nullptr, *green = nullptr, *blue = nullptr;
    if (!TIFFGetField(tiff_, TIFFTAG_COLORMAP, &red, &green, &blue))
      refuse("a palette picture without a palette");
    const std::size_t count = std::size_t{1} << colour_.bits;
    const auto all = [&](auto holds) {
      return std::all_of(red, red + count, holds) && std::all_of(green, green + count, holds) &&
             std::all_of(blue, blue + count, holds);
    };
    const bool bytes = all([](std::uint16_t v) { return v < 256; });
    const bool high_bytes = all([](std::uint16_t v) { return v % 256 == 0; });
    const auto byte = [&](std::uint16_t v) {
      return static_cast<std::uint8_t>(bytes ? v : high_bytes ? v >> 8 : (v * 255u + 32767u) / 65535u);
    };
    for (std::size_t i = 0; i < count; ++i)
      colour_.palette.push_back({byte(red[i]), byte(green[i]), byte(blue[i])});
  }

  /// Strips and tiles alike: each is a block of rows, with one for each sample where samples are stored
  /// apart.
  Image read_blocks() {
    std::uint32_t width = 0, height = 0, block_width = 0, block_height = 0;
    TIFFGetField(tiff_, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff_, TIFFTAG_IMAGELENGTH, &height);
    const bool tiled = TIFFIsTiled(tiff_);
    if (tiled) {
      TIFFGetField(tiff_, TIFFTAG_TILEWIDTH, &block_width);
      TIFFGetField(tiff_, TIFFTAG_TILELENGTH, &block_height);
    } else {
      TIFFGetFieldDefaulted(tiff_, TIFFTAG_ROWSPERSTRIP, &block_height);
      block_width = width;
      block_height = std::min(block_height, height);
    }
    if (block_width == 0 || block_height == 0) refuse("blocks without pixels");
    const bool apart = field(TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE && colour_.samples > 1;
    const int planes = apart ? colour_.samples : 1;
    const tmsize_t row_bytes = tiled ? TIFFTileRowSize(tiff_) : TIFFScanlineSize(tiff_);
    const tmsize_t block_bytes = tiled ? TIFFTileSize(tiff_) : TIFFStripSize(tiff_);
    const int in_plane = apart ? 1 : colour_.samples;
    require_undamaged(row_bytes > 0 && block_bytes > 0 &&
                      static_cast<std::uint64_t>(row_bytes) * 8 >=
                          std::uint64_t{block_width} * static_cast<std::uint64_t>(in_plane * colour_.bits));
    Image image(static_cast<int>(width), static_cast<int>(height));
    if (field(TIFFTAG_COMPRESSION) == COMPRESSION_NONE &&
        static_cast<std::uint64_t>(row_bytes) > memory_.bytes.size())
      fail_damaged(name_, "a row of pixels is longer than the file");
    // Not filled with zeros: of what a small file only claims to hold, no memory is touched.
    std::vector<std::unique_ptr<std::uint8_t[]>> data(static_cast<std::size_t>(planes));
    for (auto& plane : data)
      plane = std::make_unique_for_overwrite<std::uint8_t[]>(static_cast<std::size_t>(block_bytes));
    std::vector<std::uint16_t> samples(std::size_t{block_width} * static_cast<std::size_t>(colour_.samples));
    for (std::uint32_t top = 0; top < height; top += block_height)
      for (std::uint32_t left = 0; left < width; left += block_width) {
        check_stop();
        const std::uint32_t rows = std::min(block_height, height - top),
                            columns = std::min(block_width, width - left);
        const tmsize_t wanted = tiled ? block_bytes : row_bytes * static_cast<tmsize_t>(rows);
        for (int p = 0; p < planes; ++p)
          read_block(tiled, left, top, p, data[static_cast<std::size_t>(p)].get(), wanted);
        for (std::uint32_t y = 0; y < rows; ++y) {
          for (int p = 0; p < planes; ++p)
            unpack_tiff_samples(
                data[static_cast<std::size_t>(p)].get() + y * static_cast<std::size_t>(row_bytes),
                static_cast<int>(columns) * in_plane, colour_.bits, samples.data() + p,
                apart ? colour_.samples : 1);
          rgb_from_tiff_samples(samples.data(), static_cast<int>(columns), colour_,
                                image.pixel(static_cast<int>(left), static_cast<int>(top + y)));
        }
        if (top + block_height < top)
          return image;  // the last one, of a file with blocks as high as numbers go
      }
    return image;
  }

  void read_block(bool tiled, std::uint32_t x, std::uint32_t y, int plane, std::uint8_t* out,
                  tmsize_t wanted) {
    const auto sample = static_cast<std::uint16_t>(plane);
    const tmsize_t got =
        tiled ? TIFFReadEncodedTile(tiff_, TIFFComputeTile(tiff_, x, y, 0, sample), out, wanted)
              : TIFFReadEncodedStrip(tiff_, TIFFComputeStrip(tiff_, y, sample), out, wanted);
    require_undamaged(got == wanted);
  }

  /// With colour at fewer places than light, and not as a JPEG: by libtiff's own interface.
  Image read_ycbcr() {
    struct EndRgba {
      void operator()(TIFFRGBAImage* image) const { TIFFRGBAImageEnd(image); }
    };
    TIFFRGBAImage rgba;
    char why[1024] = "";
    if (!TIFFRGBAImageOK(tiff_, why) || !TIFFRGBAImageBegin(&rgba, tiff_, 1, why)) refuse(why);
    const std::unique_ptr<TIFFRGBAImage, EndRgba> end(&rgba);
    rgba.req_orientation = rgba.orientation;
    std::vector<std::uint32_t> raster(std::size_t{rgba.width} * rgba.height);
    require_undamaged(TIFFRGBAImageGet(&rgba, raster.data(), rgba.width, rgba.height) == 1);
    Image image(static_cast<int>(rgba.width), static_cast<int>(rgba.height));
    for (std::size_t i = 0; i < raster.size(); ++i) {
      image.rgb[3 * i] = static_cast<std::uint8_t>(TIFFGetR(raster[i]));
      image.rgb[3 * i + 1] = static_cast<std::uint8_t>(TIFFGetG(raster[i]));
      image.rgb[3 * i + 2] = static_cast<std::uint8_t>(TIFFGetB(raster[i]));
    }
    return image;
  }

  TIFF* tiff_;
  const TiffMemory& memory_;
  const std::string& name_;
  TiffColour colour_;
};

}  // namespace

Image tiff_pixels(std::string_view bytes, const PictureHeader& header, const std::string& name) {
  TiffMemory memory{.bytes = bytes, .position = 0, .problem = {}};
  const Tiff tiff = open_tiff(memory);
  if (!tiff) fail_damaged(name, memory.problem.empty() ? "no readable TIFF" : memory.problem);
  memory.problem.clear();  // of tags that say nothing of the pixels
  return TiffReader(tiff.get(), memory, header, name).read();
}

}  // namespace imatch
