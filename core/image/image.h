// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace imatch {

/// H×W×3 RGB, 8 bits a channel, row-major, no padding. Pixel frame: the centre of the top-left pixel is (0.5,
/// 0.5), x to the right, y down.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;

  Image() = default;
  Image(int w, int h)
      : width(w), height(h), rgb(static_cast<std::size_t>(w) * static_cast<std::size_t>(h) * 3) {}

  bool empty() const { return rgb.empty(); }
  std::uint8_t* pixel(int x, int y) { return rgb.data() + 3 * (static_cast<std::size_t>(y) * width + x); }
  const std::uint8_t* pixel(int x, int y) const {
    return rgb.data() + 3 * (static_cast<std::size_t>(y) * width + x);
  }
  /// SHA-256 of size and pixels: what the picture is, whatever file it came from.
  std::string digest() const;
};

}  // namespace imatch
