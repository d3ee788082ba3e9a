// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.hpp>
#include <string>

namespace imatch::host {

/// Calls `fn` and turns what it throws into Lua's terms (tests/host/border_spec.lua has the cases):
///   Failure        -> returns nil, message, code
///   Interrupted    -> error "interrupted"
///   out of memory  -> collects garbage and tries once more, then an error that names the function and the
///   bytes std::exception -> error with the caller's file and line
/// Lua's own errors pass through untouched: they unwind as foreign exceptions, which is why no handler in
/// host/ may be for everything.
int run_guarded(lua_State* L, lua_CFunction fn);

/// What the last error of Lua's said that is no fault of the program: a value that a function does not allow,
/// or memory that was not to be had.
const std::string& last_plain_message();

/// The only form in which a C++ function gets into Lua (see bind() in binding.h).
template <lua_CFunction fn>
int guarded(lua_State* L) {
  return run_guarded(L, fn);
}

}  // namespace imatch::host
