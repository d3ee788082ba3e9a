// SPDX-License-Identifier: Apache-2.0
#include "state.h"

#include <luajit.h>

#include <cstdlib>
#include <tuple>

#include "base/error.h"
#include "base/file.h"
#include "base/resources.h"
#include "binding.h"
#include "globals.h"
#include "guard.h"
#include "input_log.h"
#include "interrupt.h"
#include "process.h"
#include "source.h"

namespace imatch::host {
namespace {

void turn_jit_off(lua_State* L) {
  luaJIT_setmode(L, -1, LUAJIT_MODE_ALLFUNC | LUAJIT_MODE_OFF);
}

/// Whether no function of the user's is under way, so that what a native function refused came from the
/// command line.
bool is_library_alone(lua_State* L) {
  lua_Debug entry;
  for (int level = 0; lua_getstack(L, level, &entry) != 0; ++level) {
    lua_getinfo(L, "S", &entry);
    const std::string_view source = entry.source;
    if (source == "=[C]") continue;
    if (source[0] != '@' || !is_library(source.substr(1))) return false;
  }
  return true;
}

/// Message handler in C, because the sticky interrupt hook would stop one written in Lua.
int add_traceback(lua_State* L) {
  if (!lua_isstring(L, 1)) {
    if (lua_isnoneornil(L, 1) || !luaL_callmeta(L, 1, "__tostring") || !lua_isstring(L, -1)) {
      lua_settop(L, 1);
      lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
    }
    lua_replace(L, 1);
    lua_settop(L, 1);
  }
  // The arguments of a command, or memory: the line in our sources tells the user nothing.
  const std::string_view message = lua_tostring(L, 1);
  if (!last_plain_message().empty() && message.ends_with(last_plain_message()) && is_library_alone(L)) {
    push(L, last_plain_message());
    return 1;
  }
  luaL_traceback(L, L, lua_tostring(L, 1), 1);
  return 1;
}

/// package.loaders entry: finds a module along package.path and loads it, user modules with the JIT off.
int search_module(lua_State* L) {
  const std::string name = check_string(L, 1);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "searchpath");
  lua_pushvalue(L, 1);
  lua_getfield(L, -3, "path");
  lua_call(L, 2, 2);
  if (lua_isnil(L, -2)) return 1;  // the text that lists where it was looked for
  const std::string path = lua_tostring(L, -2);
  if (luaL_loadfile(L, path.c_str()) != 0)
    return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", name.c_str(), path.c_str(),
                      lua_tostring(L, -1));
  if (!is_library(path)) {
    if (!library_calls(L)) input_log().code_file(path);  // the library's own argparse is no input
    turn_jit_off(L);
  }
  return 1;
}

/// load, loadstring and loadfile as they are, but with the JIT off for what they load. Only loadfile reads.
template <bool reads_file>
int load_with_jit_off(lua_State* L) {
  const int num_args = lua_gettop(L);
  if (reads_file && lua_type(L, 1) == LUA_TSTRING) input_log().code_file(lua_tostring(L, 1));
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, num_args, LUA_MULTRET);
  if (lua_isfunction(L, 1)) {
    lua_pushvalue(L, 1);
    turn_jit_off(L);
    lua_pop(L, 1);
  }
  return lua_gettop(L);
}

int do_file(lua_State* L) {
  const std::string path = check_string(L, 1);
  lua_settop(L, 0);
  if (luaL_loadfile(L, path.c_str()) != 0) return lua_error(L);
  input_log().code_file(path);
  turn_jit_off(L);
  lua_call(L, 0, LUA_MULTRET);
  return lua_gettop(L);
}

void replace_loaders(lua_State* L) {
  constexpr std::pair<const char*, lua_CFunction> kLoaders[] = {
      {"load", guarded<load_with_jit_off<false>>},
      {"loadstring", guarded<load_with_jit_off<false>>},
      {"loadfile", guarded<load_with_jit_off<true>>}};
  for (const auto& [name, loader] : kLoaders) {
    lua_getglobal(L, name);
    lua_pushcclosure(L, loader, 1);
    lua_setglobal(L, name);
  }
  lua_pushcfunction(L, guarded<do_file>);
  lua_setglobal(L, "dofile");
}

/// Where LuaRocks installs what was asked for with --local, and where Debian's packages and LuaRocks itself
/// put modules, which a LUA_PATH without ";;" leaves out: the library's own argparse is among them.
std::string further_modules(const std::string& kind, const std::string& ending) {
  const char* home = std::getenv("HOME");
  std::string patterns;
  for (const std::string& tree :
       {home ? std::string(home) + "/.luarocks" : "", std::string("/usr/local"), std::string("/usr")})
    if (!tree.empty()) {
      const std::string folder = tree + "/" + kind + "/lua/5.1/?";
      patterns += ";" + folder + ending;
      if (kind == "share") patterns += ";" + folder + "/init" + ending;
    }
  return patterns;
}

void set_package_path(lua_State* L) {
  const std::string lua = resource_folder("lua");
  lua_getglobal(L, "package");
  for (const auto& [field, first, last] :
       {std::tuple{"path", lua + "/?.lua;" + lua + "/?/init.lua;", further_modules("share", ".lua")},
        std::tuple{"cpath", std::string(), further_modules("lib", ".so")}}) {
    lua_getfield(L, -1, field);
    push(L, first + lua_tostring(L, -1) + last);
    lua_setfield(L, -3, field);
    lua_pop(L, 1);
  }
  // Slot 2 is the stock loader of Lua files.
  lua_getfield(L, -1, "loaders");
  lua_pushcfunction(L, guarded<search_module>);
  lua_rawseti(L, -2, 2);
  lua_pop(L, 1);
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, guarded<push_native>);
  lua_setfield(L, -2, "imatch.native");
  lua_pop(L, 2);
}

}  // namespace

State::State() : L_(luaL_newstate()) {
  if (!L_) throw Error("not enough memory for a Lua state");
  luaL_openlibs(L_);
  set_package_path(L_);
  replace_process_functions(L_);
  replace_loaders(L_);
  note_what_lua_reads(L_);
  watch_globals(L_);
}

State::~State() {
  lua_close(L_);
}

bool load_user_code(lua_State* L, const std::string& code, const std::string& chunk_name) {
  if (luaL_loadbuffer(L, code.data(), code.size(), chunk_name.c_str()) != 0) return false;
  input_log().text(chunk_name, code);
  turn_jit_off(L);
  return true;
}

bool load_user_file(lua_State* L, const std::string& path) {
  try {
    require_file(path);
  } catch (const Failure& failure) {
    push(L, std::string(failure.what()));
    return false;
  }
  if (luaL_loadfile(L, path.c_str()) != 0) return false;
  if (!is_library(path)) input_log().code_file(path);
  turn_jit_off(L);
  return true;
}

Outcome call(lua_State* L, int num_args, int num_results) {
  const int base = lua_gettop(L) - num_args;
  lua_pushcfunction(L, add_traceback);
  lua_insert(L, base);
  const int status = lua_pcall(L, num_args, num_results, base);
  lua_remove(L, base);
  Outcome outcome;
  outcome.signal = clear_interrupt(L);
  outcome.ok = status == 0;
  if (status != 0) {
    outcome.message = text_of(L, -1);
    lua_pop(L, 1);
  }
  return outcome;
}

void push_arguments(lua_State* L, const std::string& name, const std::vector<std::string>& arguments) {
  luaL_checkstack(L, static_cast<int>(arguments.size()) + 4, "too many arguments");
  lua_newtable(L);
  push(L, name);
  lua_rawseti(L, -2, 0);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    push(L, arguments[i]);
    lua_rawseti(L, -2, static_cast<int>(i + 1));
  }
  lua_setglobal(L, "arg");
  for (const std::string& argument : arguments) push(L, argument);
}

std::string text_of(lua_State* L, int index) {
  if (luaL_callmeta(L, index, "__tostring")) {
    std::string text = lua_isstring(L, -1) ? lua_tostring(L, -1) : "?";
    lua_pop(L, 1);
    return text;
  }
  switch (lua_type(L, index)) {
    case LUA_TSTRING:
    case LUA_TNUMBER: {
      lua_pushvalue(L, index);  // lua_tostring changes a number in place
      std::string text = lua_tostring(L, -1);
      lua_pop(L, 1);
      return text;
    }
    case LUA_TBOOLEAN:
      return lua_toboolean(L, index) ? "true" : "false";
    case LUA_TNIL:
      return "nil";
    default:
      return luaL_typename(L, index);
  }
}

}  // namespace imatch::host
