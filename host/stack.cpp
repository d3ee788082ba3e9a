// SPDX-License-Identifier: Apache-2.0
#include "stack.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/error.h"
#include "base/json_member.h"

namespace imatch::host {
namespace {

constexpr int kMaxDepth = 100;

std::string shown(lua_State* L, int index) {
  switch (lua_type(L, index)) {
    case LUA_TNONE:
      return "no value";
    case LUA_TNIL:
      return "nil";
    case LUA_TBOOLEAN:
      return lua_toboolean(L, index) ? "true" : "false";
    case LUA_TNUMBER:
      return fmt::format("{}", lua_tonumber(L, index));
    case LUA_TSTRING: {
      std::string text = lua_tostring(L, index);
      return text.size() > 40 ? "'" + text.substr(0, 37) + "...'" : "'" + text + "'";
    }
    case LUA_TUSERDATA:
      if (luaL_getmetafield(L, index, "__name")) {
        std::string name = lua_isstring(L, -1) ? lua_tostring(L, -1) : "userdata";
        lua_pop(L, 1);
        return name;
      }
      return "userdata";
    default:
      return luaL_typename(L, index);
  }
}

Json read_value(lua_State* L, int index, std::string_view what, int depth);

Json read_list(lua_State* L, int index, std::size_t size, std::string_view what, int depth) {
  Json list = Json::array();
  for (std::size_t i = 1; i <= size; ++i) {
    lua_rawgeti(L, index, static_cast<int>(i));
    list.push_back(read_value(L, lua_gettop(L), what, depth + 1));
    lua_pop(L, 1);
  }
  return list;
}

/// Throws Error for a list that has nil inside: Lua's `#` may take such a one for shorter than it is.
void require_no_nil(lua_State* L, int index, std::string_view what) {
  double last = 0, count = 0;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1), ++count) {
    const double key = lua_type(L, -2) == LUA_TNUMBER ? lua_tonumber(L, -2) : 0;
    if (key < 1 || key != std::floor(key)) return lua_pop(L, 2);  // no list
    last = std::max(last, key);
  }
  if (count == last) return;
  for (int i = 1; i <= last; ++i) {
    lua_rawgeti(L, index, i);
    if (lua_isnil(L, -1))
      throw Error(
          fmt::format("{}: item {} of a list of {} is nil; a list must not have nil inside", what, i, last));
    lua_pop(L, 1);
  }
}

/// Keys in sorted order: Lua's own order changes from run to run.
Json read_object(lua_State* L, int index, std::string_view what, int depth) {
  require_no_nil(L, index, what);
  std::vector<std::string> keys;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      throw Error(
          fmt::format("{}: a table has either the keys 1..n or text keys, got the key {} beside others", what,
                      shown(L, -2)));
    std::size_t size = 0;
    const char* text = lua_tolstring(L, -2, &size);
    keys.emplace_back(text, size);
  }
  std::sort(keys.begin(), keys.end());
  Json object = Json::object();
  for (const std::string& key : keys) {
    lua_pushlstring(L, key.data(), key.size());
    lua_rawget(L, index);
    append_member(object, key, read_value(L, lua_gettop(L), what, depth + 1));
    lua_pop(L, 1);
  }
  return object;
}

Json read_value(lua_State* L, int index, std::string_view what, int depth) {
  if (depth > kMaxDepth)
    throw Error(fmt::format("{}: tables nested deeper than {} (a cycle?)", what, kMaxDepth));
  luaL_checkstack(L, 4, "tables nested too deep");
  switch (lua_type(L, index)) {
    case LUA_TNIL:
      return nullptr;
    case LUA_TBOOLEAN:
      return lua_toboolean(L, index) != 0;
    case LUA_TNUMBER: {
      const double number = lua_tonumber(L, index);
      if (number == std::floor(number) && std::abs(number) <= 9007199254740992.0)
        return static_cast<std::int64_t>(number);
      return number;
    }
    case LUA_TSTRING: {
      std::size_t size = 0;
      const char* text = lua_tolstring(L, index, &size);
      return std::string(text, size);
    }
    case LUA_TTABLE: {
      const std::size_t size = lua_objlen(L, index);
      if (size == 0) return read_object(L, index, what, depth);
      std::size_t keys = 0;
      for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) ++keys;
      return keys == size ? read_list(L, index, size, what, depth) : read_object(L, index, what, depth);
    }
    default:
      throw Error(fmt::format("{}: expected text, numbers, booleans and tables of these, got {}", what,
                              shown(L, index)));
  }
}

}  // namespace

void wrong_argument(lua_State* L, int index, std::string_view expected) {
  throw ArgumentError(index, fmt::format(" must be {}, got {}", expected, shown(L, index)));
}

void wrong_item(lua_State* L, int index, std::size_t item, std::string_view expected) {
  throw ArgumentError(index, fmt::format("[{}] must be {}, got {}", item, expected, shown(L, -1)));
}

std::size_t check_list(lua_State* L, int index, std::string_view expected) {
  if (lua_type(L, index) != LUA_TTABLE) wrong_argument(L, index, fmt::format("a list of {}", expected));
  const std::size_t length = lua_objlen(L, index);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
    if (lua_type(L, -2) == LUA_TNUMBER && lua_tonumber(L, -2) > static_cast<double>(length)) {
      lua_pushnil(L);
      wrong_item(L, index, length + 1, expected);
    }
  return length;
}

double check_number(lua_State* L, int index) {
  if (lua_type(L, index) != LUA_TNUMBER || !std::isfinite(lua_tonumber(L, index)))
    wrong_argument(L, index, "a finite number");
  return lua_tonumber(L, index);
}

std::int64_t check_integer(lua_State* L, int index, std::int64_t low, std::int64_t high) {
  const double number = lua_type(L, index) == LUA_TNUMBER ? lua_tonumber(L, index) : std::nan("");
  // Written so that NaN fails; beyond 2^53 a double no longer tells neighbouring integers apart.
  if (!(number == std::floor(number) && std::abs(number) <= 9007199254740992.0 &&
        number >= static_cast<double>(low) && number <= static_cast<double>(high))) {
    if (low == std::numeric_limits<std::int64_t>::min()) wrong_argument(L, index, "an integer");
    if (high == std::numeric_limits<std::int64_t>::max())
      wrong_argument(L, index, fmt::format("an integer >= {}", low));
    wrong_argument(L, index, fmt::format("an integer in [{}, {}]", low, high));
  }
  return static_cast<std::int64_t>(number);
}

std::string check_string(lua_State* L, int index) {
  if (lua_type(L, index) != LUA_TSTRING) wrong_argument(L, index, "text");
  std::size_t size = 0;
  const char* text = lua_tolstring(L, index, &size);
  return {text, size};
}

bool check_bool(lua_State* L, int index) {
  if (lua_type(L, index) != LUA_TBOOLEAN) wrong_argument(L, index, "true or false");
  return lua_toboolean(L, index) != 0;
}

void check_function(lua_State* L, int index) {
  if (lua_type(L, index) != LUA_TFUNCTION) wrong_argument(L, index, "a function");
}

Json to_json(lua_State* L, int index, std::string_view what) {
  if (index < 0 && index > LUA_REGISTRYINDEX) index = lua_gettop(L) + index + 1;
  if (lua_isnone(L, index)) return nullptr;
  return read_value(L, index, what, 0);
}

void push_json(lua_State* L, const Json& value) {
  luaL_checkstack(L, 4, "tables nested too deep");
  switch (value.type()) {
    case Json::value_t::boolean:
      lua_pushboolean(L, value.get<bool>());
      break;
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
    case Json::value_t::number_float:
      lua_pushnumber(L, value.get<double>());
      break;
    case Json::value_t::string:
      push(L, value.get_ref<const std::string&>());
      break;
    case Json::value_t::array: {
      lua_createtable(L, static_cast<int>(value.size()), 0);
      int i = 0;
      for (const Json& item : value) push_json(L, item), lua_rawseti(L, -2, ++i);
      break;
    }
    case Json::value_t::object:
      lua_createtable(L, 0, static_cast<int>(value.size()));
      for (const auto& [key, item] : value.items()) {
        push(L, key);
        push_json(L, item);
        lua_rawset(L, -3);
      }
      break;
    default:
      lua_pushnil(L);
  }
}

}  // namespace imatch::host
