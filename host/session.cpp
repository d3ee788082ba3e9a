// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <chrono>
#include <cstdio>
#include <string_view>
#include <vector>

#include "globals.h"
#include "session_text.h"
#include "stack.h"

namespace imatch::host {
namespace {

constexpr const char* kChunkName = "=stdin";

/// True when the load failed only because more lines are to come.
bool is_incomplete(lua_State* L) {
  return std::string_view(text_of(L, -1)).ends_with("'<eof>'");
}

/// Where the last statement of several lines begins, if it is an expression whose value can be shown; 0 where
/// it is none, or there is but one line.
std::size_t last_expression(lua_State* L, const std::string& text) {
  const auto loads = [&](const std::string& code) {
    const bool loaded = luaL_loadbuffer(L, code.data(), code.size(), kChunkName) == 0;
    lua_pop(L, 1);
    return loaded;
  };
  for (std::size_t at = text.rfind('\n'); at != text.npos && at > 0; at = text.rfind('\n', at - 1))
    if (loads("return " + text.substr(at)) && text.find_first_not_of(" \t\r\n", at) != text.npos)
      return loads(text.substr(0, at)) ? at : 0;
  return 0;
}

}  // namespace

Session::Session(lua_State* L, bool given) : lua_(L) {
  if (!given) {
    lua_newtable(L);
    lua_newtable(L);
  }
  variables_ = lua_gettop(L) - 1;
  declared_ = lua_gettop(L);
  make_session_variables(L, variables_, declared_);
  lua_getglobal(L, "require");
  push(L, "imatch");
  if (const Outcome outcome = call(L, 1, 1); outcome.ok)
    lua_setglobal(L, "im");
  else
    std::fprintf(stderr, "%s\n", outcome.message.c_str());
}

Session::Loaded Session::load(const std::string& text) {
  locals_.clear();
  bool loaded = load_user_code(lua_, "return " + text, kChunkName);
  if (!loaded) {
    lua_pop(lua_, 1);
    const std::size_t expression = last_expression(lua_, text);
    SessionText statement = session_text(text.substr(0, expression == 0 ? text.npos : expression));
    if (expression != 0) statement.code += "\nreturn " + text.substr(expression + 1);
    loaded = load_user_code(lua_, statement.code, kChunkName);
    if (!loaded) return is_incomplete(lua_) ? Loaded::kIncomplete : Loaded::kNo;
    locals_ = statement.declared;
  }
  lua_pushvalue(lua_, variables_);
  lua_setfenv(lua_, -2);
  return Loaded::kYes;
}

Session::Result Session::run() {
  const int base = lua_gettop(lua_) - 1;
  for (const std::string& name : locals_) {
    lua_pushboolean(lua_, 1);
    lua_setfield(lua_, declared_, name.c_str());
  }
  const auto start = std::chrono::steady_clock::now();
  Result result{call(lua_, 0, LUA_MULTRET), 0, 0};
  result.ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  result.count = lua_gettop(lua_) - base;
  if (result.count > 0) {
    lua_getglobal(lua_, "_");
    lua_setglobal(lua_, "__");
    lua_pushvalue(lua_, base + 1);
    lua_setglobal(lua_, "_");
  }
  return result;
}

bool Session::call_library(const char* module, const char* name, int num_args, int num_results) {
  const int base = lua_gettop(lua_) - num_args;
  lua_getglobal(lua_, "require");
  push(lua_, module);
  Outcome outcome = call(lua_, 1, 1);
  if (outcome.ok) {
    lua_getfield(lua_, -1, name);
    lua_insert(lua_, base + 1);
    lua_pop(lua_, 1);
    outcome = call(lua_, num_args, num_results);
  }
  if (outcome.ok) return true;
  std::fprintf(stderr, "%s\n", outcome.message.c_str());
  lua_settop(lua_, base);
  return false;
}

bool Session::has(const std::string& name) const {
  for (const int table : {variables_, LUA_GLOBALSINDEX}) {
    push(lua_, name);
    lua_rawget(lua_, table);
    const bool found = !lua_isnil(lua_, -1);
    lua_pop(lua_, 1);
    if (found) return true;
  }
  return false;
}

}  // namespace imatch::host
