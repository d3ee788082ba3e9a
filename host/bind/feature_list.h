// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "bind/types.h"
#include "stack.h"

namespace imatch::host {

/// The Features of a list, in order. Throws Error for anything else.
inline std::vector<std::shared_ptr<const Features>> check_features(lua_State* L, int index) {
  std::vector<std::shared_ptr<const Features>> list;
  for_each_item<Features>(L, index, [&](auto features) { list.push_back(std::move(features)); });
  return list;
}

}  // namespace imatch::host
