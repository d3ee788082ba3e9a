// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "image/image.h"

namespace imatch::testing {

/// A picture with waves, edges and colour; moved by (dx, dy) pixels.
inline Image picture(int width, int height, int dx = 0, int dy = 0) {
  Image image(width, height);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const double u = x - dx;
      const double v = y - dy;
      const double wave = 60 * std::sin(0.09 * u + 0.02 * v) + 40 * std::sin(0.003 * u * v / 7 + 0.13 * v);
      const double block = (static_cast<int>(std::floor(u / 23) + std::floor(v / 17)) & 1) != 0 ? 25 : -25;
      std::uint8_t* pixel = image.pixel(x, y);
      pixel[0] = static_cast<std::uint8_t>(std::clamp(128 + wave + block, 0.0, 255.0));
      pixel[1] = static_cast<std::uint8_t>(std::clamp(120 + 0.5 * wave - block, 0.0, 255.0));
      pixel[2] = static_cast<std::uint8_t>(std::clamp(110 - wave + 0.3 * block, 0.0, 255.0));
    }
  return image;
}

}  // namespace imatch::testing
