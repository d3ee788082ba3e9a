// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <lua.hpp>

#include "geometry/planar.h"
#include "stack.h"

namespace imatch::host {

// A homography is a list of nine numbers in Lua, row by row.

/// Throws Error unless the value is a list of nine finite numbers.
inline Homography check_homography(lua_State* L, int index) {
  constexpr const char* kExpected = "a homography: a list of 9 finite numbers, row by row";
  if (!lua_istable(L, index)) wrong_argument(L, index, kExpected);
  const Json list = to_json(L, index, "homography");
  Homography h;
  if (!list.is_array() || list.size() != h.m.size()) wrong_argument(L, index, kExpected);
  for (std::size_t k = 0; k < h.m.size(); ++k) {
    if (!list[k].is_number() || !std::isfinite(list[k].get<double>())) wrong_argument(L, index, kExpected);
    h.m[k] = list[k].get<double>();
  }
  return h;
}

inline int push(lua_State* L, const Homography& h) {
  return push(L, Json(h.m));
}

}  // namespace imatch::host
