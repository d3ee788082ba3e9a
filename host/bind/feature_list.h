// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "bind/types.h"
#include "stack.h"

namespace imatch::host {

/// The Features of a list, in order. Throws Error for anything else.
inline std::vector<std::shared_ptr<const Features>> check_features(lua_State* L, int index) {
  if (!lua_istable(L, index)) wrong_argument(L, index, "a list of Features");
  std::vector<std::shared_ptr<const Features>> list;
  for (std::size_t i = 1; i <= lua_objlen(L, index); ++i) {
    lua_rawgeti(L, index, static_cast<int>(i));
    list.push_back(shared_arg<Features>(L, lua_gettop(L)));
    lua_pop(L, 1);
  }
  return list;
}

}  // namespace imatch::host
