// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "stack.h"

namespace imatch::host {

/// A native function that calls the Lua function at `index` with the fields of an option struct as a table.
/// For the time of the current call, on its thread. What the function raises goes through the native code.
template <OptionStruct S>
std::function<void(const S&)> call_with_table(lua_State* L, int index) {
  check_function(L, index);
  return [L, index](const S& value) {
    lua_pushvalue(L, index);
    push(L, options_to_json(value));
    lua_call(L, 1, 0);
  };
}

}  // namespace imatch::host
