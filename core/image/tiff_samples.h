// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace imatch {

/// What the samples of a TIFF's pixels mean (TIFF 6.0, part 1 and sections 16, 18 and 23).
struct TiffColour {
  enum class Kind { kGrey, kInvertedGrey, kRgb, kPalette, kCmyk, kLab, kIccLab };
  Kind kind = Kind::kGrey;
  int bits = 8;                      ///< A sample, 1 to 16.
  int samples = 1;                   ///< Stored a pixel.
  std::optional<int> premultiplied;  ///< The sample that the others were multiplied with.
  std::vector<std::array<std::uint8_t, 3>> palette;

  /// Samples that have the colour; further ones are alpha and what the writer had to say.
  int colours() const;
};

/// One row of pixels as 8-bit RGB. `samples`: `colour.samples` for each pixel, as integers of `colour.bits`
/// bits.
void rgb_from_tiff_samples(const std::uint16_t* samples, int width, const TiffColour& colour,
                           std::uint8_t* rgb);

/// Integers of 1 to 16 bits out of a row in which they stand one behind the other: the first in the highest
/// bits, those of 16 bits in the machine's byte order. `out` is written in steps of `step`.
void unpack_tiff_samples(const std::uint8_t* row, int count, int bits, std::uint16_t* out, int step);

}  // namespace imatch
