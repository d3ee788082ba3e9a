// SPDX-License-Identifier: Apache-2.0
#include "globals.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/spelling.h"
#include "guard.h"
#include "source.h"
#include "stack.h"

namespace imatch::host {
namespace {

/// Text keys of the table at `index`.
std::vector<std::string> names_in(lua_State* L, int index) {
  std::vector<std::string> names;
  lua_pushvalue(L, index);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
    if (lua_type(L, -2) == LUA_TSTRING) names.emplace_back(lua_tostring(L, -2));
  lua_pop(L, 1);
  std::sort(names.begin(), names.end());  // Lua's order changes from run to run
  return names;
}

/// Tells of the variable once for each line of a file; a session's lines all have the number 1.
void warn_of_undefined(lua_State* L, const std::string& name, std::vector<std::string> known) {
  lua_Debug reader;
  if (name[0] == '_' || lua_getstack(L, 1, &reader) == 0) return;
  lua_getinfo(L, "Sl", &reader);
  if (!is_user_code(reader.source)) return;
  const bool is_file = reader.source[0] == '@';
  const std::string place = is_file ? fmt::format("{}:{}: ", reader.source + 1, reader.currentline) : "";
  static std::set<std::string> told;
  if (is_file && !told.insert(place + name).second) return;
  std::fprintf(stderr, "warning: %sundefined variable '%s'%s\n", place.c_str(), name.c_str(),
               did_you_mean(name, known).c_str());
}

/// __index of the globals.
int read_undefined_global(lua_State* L) {
  if (lua_type(L, 2) == LUA_TSTRING) warn_of_undefined(L, lua_tostring(L, 2), names_in(L, 1));
  return push(L, Json(nullptr));
}

bool is_declared(lua_State* L) {
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(1));
  const bool declared = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return declared;
}

/// __index of a session's variables.
int read_session_variable(lua_State* L) {
  if (is_declared(L)) return push(L, Json(nullptr));
  lua_pushvalue(L, 2);
  lua_rawget(L, LUA_GLOBALSINDEX);
  if (!lua_isnil(L, -1)) return 1;
  if (luaL_getmetafield(L, LUA_GLOBALSINDEX, "__index")) {
    if (lua_tocfunction(L, -1) != guarded<read_undefined_global>) {  // the user's own way with globals
      lua_pushvalue(L, 2);
      lua_gettable(L, LUA_GLOBALSINDEX);
      return 1;
    }
    std::vector<std::string> known = names_in(L, LUA_GLOBALSINDEX);
    for (std::string& name : names_in(L, 1)) known.push_back(std::move(name));
    if (lua_type(L, 2) == LUA_TSTRING) warn_of_undefined(L, lua_tostring(L, 2), std::move(known));
  }
  return push(L, Json(nullptr));
}

/// __newindex of a session's variables.
int write_session_variable(lua_State* L) {
  if (is_declared(L)) return lua_rawset(L, 1), 0;
  lua_settable(L, LUA_GLOBALSINDEX);
  return 0;
}

/// __index of a table with nothing optional in it. The table's name is the first upvalue.
int refuse_unknown_field(lua_State* L) {
  const std::string what = lua_tostring(L, lua_upvalueindex(1));
  if (lua_type(L, 2) != LUA_TSTRING)
    throw Error(lua_type(L, 2) == LUA_TNUMBER
                    ? fmt::format("{} is no list: there is nothing at [{}]", what, lua_tonumber(L, 2))
                    : fmt::format("{} has no fields but those with names", what));
  const std::string name = lua_tostring(L, 2);
  throw Error(fmt::format("{} has no '{}'{}", what, name, did_you_mean(name, names_in(L, 1))));
}

void set_index_of_top(lua_State* L, lua_CFunction index, const std::string& what) {
  lua_newtable(L);
  push(L, what);
  lua_pushcclosure(L, index, 1);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
}

}  // namespace

void watch_globals(lua_State* L) {
  lua_pushvalue(L, LUA_GLOBALSINDEX);
  set_index_of_top(L, guarded<read_undefined_global>, "_G");
  lua_pop(L, 1);
}

void refuse_unknown_fields(lua_State* L, const std::string& what) {
  set_index_of_top(L, guarded<refuse_unknown_field>, what);
}

void make_session_variables(lua_State* L, int variables, int declared) {
  if (variables == 0) lua_newtable(L), variables = lua_gettop(L);
  lua_createtable(L, 0, 2);
  for (const auto& [event, function] : {std::pair{"__index", &guarded<read_session_variable>},
                                        std::pair{"__newindex", &guarded<write_session_variable>}}) {
    lua_pushvalue(L, declared);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, event);
  }
  lua_setmetatable(L, variables);
}

}  // namespace imatch::host
