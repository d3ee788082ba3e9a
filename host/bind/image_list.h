// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "bind/types.h"
#include "stack.h"

namespace imatch::host {

/// The images of a list, or one image alone. Throws Error for anything else; the argument keeps them alive.
inline std::vector<const Image*> check_images(lua_State* L, int index) {
  if (is<Image>(L, index)) return {&arg<Image>(L, index)};
  if (!lua_istable(L, index)) wrong_argument(L, index, "an Image or a list of them");
  std::vector<const Image*> images;
  for_each_item<Image>(L, index, [&](auto image) { images.push_back(image.get()); });
  return images;
}

}  // namespace imatch::host
