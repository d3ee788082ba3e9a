// SPDX-License-Identifier: Apache-2.0
#include "image/image.h"

#include <array>

#include "base/sha256.h"

namespace imatch {

std::string Image::digest() const {
  const std::array<std::int32_t, 2> size{width, height};
  return Sha256().add(size.data(), sizeof size).add(rgb.data(), rgb.size()).hex();
}

}  // namespace imatch
