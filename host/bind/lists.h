// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "stack.h"

namespace imatch::host {

inline Json list_of(std::span<const double> numbers) {
  return Json(std::vector<double>(numbers.begin(), numbers.end()));
}

/// A list of strings; `{}` is an empty one. Throws Error for anything else.
inline std::vector<std::string> check_strings(lua_State* L, int index) {
  const Json list = to_json(L, index, "list");
  if (!list.is_array() && !list.empty()) wrong_argument(L, index, "a list of strings");
  std::vector<std::string> texts;
  for (const Json& text : list) {
    if (!text.is_string()) wrong_argument(L, index, "a list of strings");
    texts.push_back(text);
  }
  return texts;
}

}  // namespace imatch::host
