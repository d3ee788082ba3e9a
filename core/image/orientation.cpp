// SPDX-License-Identifier: Apache-2.0
#include "image/orientation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace imatch {

namespace {

void require_orientation(int orientation) {
  if (orientation < 1 || orientation > 8)
    throw Error(fmt::format("orientation: {} is not allowed; expected an integer in [1, 8]", orientation));
}

}  // namespace

Affine2 stored_from_upright(int orientation, int upright_width, int upright_height) {
  require_orientation(orientation);
  const double w = upright_width, h = upright_height;
  switch (orientation) {
    case 2:
      return {{-1, 0, w, 0, 1, 0}};
    case 3:
      return {{-1, 0, w, 0, -1, h}};
    case 4:
      return {{1, 0, 0, 0, -1, h}};
    case 5:
      return {{0, 1, 0, 1, 0, 0}};
    case 6:
      return {{0, 1, 0, -1, 0, w}};
    case 7:
      return {{0, -1, h, -1, 0, w}};
    case 8:
      return {{0, -1, h, 1, 0, 0}};
    default:
      return {};
  }
}

Image upright(Image stored, int orientation) {
  require_orientation(orientation);
  if (orientation == 1) return stored;
  const bool swapped = orientation >= 5;
  // The stored pixel (x, y) that upright pixel (0, 0) shows, and its steps along the upright row and column.
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const std::ptrdiff_t step_x = from_right ? -3 : 3;
  const std::ptrdiff_t step_y = (from_bottom ? -3 : 3) * static_cast<std::ptrdiff_t>(stored.width);
  const std::uint8_t* origin =
      stored.pixel(from_right ? stored.width - 1 : 0, from_bottom ? stored.height - 1 : 0);
  Image result(swapped ? stored.height : stored.width, swapped ? stored.width : stored.height);
  const std::ptrdiff_t along = swapped ? step_y : step_x;
  const std::ptrdiff_t down = swapped ? step_x : step_y;
  // In squares of this side, so that a transposition does not touch a new cache line for each pixel.
  constexpr int kTile = 64;
  for (int top = 0; top < result.height; top += kTile)
    for (int left = 0; left < result.width; left += kTile)
      for (int y = top; y < std::min(top + kTile, result.height); ++y) {
        std::uint8_t* out = result.pixel(left, y);
        const std::uint8_t* in = origin + down * y + along * left;
        for (int x = left; x < std::min(left + kTile, result.width); ++x, out += 3, in += along)
          std::memcpy(out, in, 3);
      }
  return result;
}

}  // namespace imatch
