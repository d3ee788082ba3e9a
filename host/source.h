// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.hpp>
#include <string>
#include <string_view>

namespace imatch::host {

/// Whether the file is one of our own library in Lua.
bool is_library(std::string_view path);

/// Whether a chunk of that source ("@script.lua", "=stdin") was written by the user: what was typed, and
/// files in the folder of the script and below, but for the trees of LuaRocks. Nothing is, before
/// `begin_script`.
bool is_user_code(std::string_view source);

/// To be called before a script of the user's is run: `require` finds modules in its folder, before LUA_PATH.
void begin_script(lua_State* L, const std::string& path);

/// Pushes "script.lua:12: ": the nearest line under way that is not the library's, else the nearest at all.
/// A call in `return f(x)` leaves no line of its own; whoever called that function is named then.
void push_where(lua_State* L);

}  // namespace imatch::host
