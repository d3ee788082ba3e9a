// SPDX-License-Identifier: Apache-2.0
#include "image/tiff_samples.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "image/pixels.h"

namespace imatch {
namespace {

/// To the nearest of 8 bits.
std::uint8_t byte_of(std::uint32_t value, std::uint32_t most) {
  return static_cast<std::uint8_t>((value * 255 + most / 2) / most);
}

/// CIE L*a*b* under D50, as the profile connection space of ICC has it, to sRGB (IEC 61966-2-1; adapted by
/// Bradford's matrix).
void rgb_from_lab(double l, double a, double b, std::uint8_t* rgb) {
  const auto cubed = [](double f) {
    return f > 6.0 / 29 ? f * f * f : (f - 4.0 / 29) * 3 * (6.0 / 29) * (6.0 / 29);
  };
  const double fy = (l + 16) / 116;
  const double x = 0.96422 * cubed(fy + a / 500), y = cubed(fy), z = 0.82521 * cubed(fy - b / 200);
  const double linear[] = {3.1338561 * x - 1.6168667 * y - 0.4906146 * z,
                           -0.9787684 * x + 1.9161415 * y + 0.0334540 * z,
                           0.0719453 * x - 0.2289914 * y + 1.4052427 * z};
  for (int c = 0; c < 3; ++c) {
    const double v = std::clamp(linear[c], 0.0, 1.0);
    const double encoded = v <= 0.0031308 ? 12.92 * v : 1.055 * std::pow(v, 1 / 2.4) - 0.055;
    rgb[c] = static_cast<std::uint8_t>(std::lround(255 * encoded));
  }
}

/// CIELab has signed a and b; ICCLab has them from -128 on, and 16-bit L* ends at 0xFF00.
void rgb_from_tiff_lab(const std::uint16_t* in, const TiffColour& colour, std::uint8_t* rgb) {
  const bool icc = colour.kind == TiffColour::Kind::kIccLab;
  const bool wide = colour.bits == 16;
  const double lightness = in[0] * 100.0 / (!wide ? 255 : icc ? 0xFF00 : 65535);
  const auto axis = [&](std::uint16_t value) {
    const int shifted = icc    ? value - (wide ? 0x8000 : 0x80)
                        : wide ? static_cast<std::int16_t>(value)
                               : static_cast<std::int8_t>(value);
    return shifted / (wide ? 256.0 : 1.0);
  };
  rgb_from_lab(lightness, axis(in[1]), axis(in[2]), rgb);
}

void divide(std::uint8_t* rgb, std::uint8_t alpha) {
  for (int c = 0; c < 3; ++c)
    rgb[c] = alpha == 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(std::min(rgb[c] * 255 / alpha, 255));
}

}  // namespace

int TiffColour::colours() const {
  if (kind == Kind::kGrey || kind == Kind::kInvertedGrey || kind == Kind::kPalette) return 1;
  return kind == Kind::kCmyk ? 4 : 3;
}

void rgb_from_tiff_samples(const std::uint16_t* in, int width, const TiffColour& colour, std::uint8_t* rgb) {
  using Kind = TiffColour::Kind;
  const std::uint32_t most = (1u << colour.bits) - 1;
  for (int x = 0; x < width; ++x, in += colour.samples, rgb += 3) {
    switch (colour.kind) {
      case Kind::kGrey:
      case Kind::kInvertedGrey:
        std::fill_n(rgb, 3, byte_of(colour.kind == Kind::kGrey ? in[0] : most - in[0], most));
        break;
      case Kind::kRgb:
        for (int c = 0; c < 3; ++c) rgb[c] = byte_of(in[c], most);
        break;
      case Kind::kPalette:
        std::copy_n(in[0] < colour.palette.size() ? colour.palette[in[0]].data() : colour.palette[0].data(),
                    3, rgb);
        break;
      case Kind::kCmyk: {
        std::uint8_t cmyk[4];
        for (int c = 0; c < 4; ++c) cmyk[c] = byte_of(in[c], most);
        rgb_from_cmyk(cmyk, rgb);
        break;
      }
      case Kind::kLab:
      case Kind::kIccLab:
        rgb_from_tiff_lab(in, colour, rgb);
        break;
    }
    if (colour.premultiplied) divide(rgb, byte_of(in[*colour.premultiplied], most));
  }
}

void unpack_tiff_samples(const std::uint8_t* row, int count, int bits, std::uint16_t* out, int step) {
  if (bits == 8) {
    for (int i = 0; i < count; ++i, out += step) *out = row[i];
    return;
  }
  if (bits == 16) {
    for (int i = 0; i < count; ++i, out += step) std::memcpy(out, row + 2 * i, 2);
    return;
  }
  std::uint32_t held = 0;
  int held_bits = 0;
  for (int i = 0; i < count; ++i, out += step) {
    while (held_bits < bits) {
      held = held << 8 | *row++;
      held_bits += 8;
    }
    held_bits -= bits;
    *out = static_cast<std::uint16_t>(held >> held_bits & ((1u << bits) - 1));
  }
}

}  // namespace imatch
