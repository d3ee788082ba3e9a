// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <lua.hpp>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/options.h"

namespace imatch::host {

// Arguments. All throw ArgumentError: "image.new: argument 2 must be an integer in [1, 2048], got 0.5".
// Nothing is converted silently: no numeric strings, no truncation of 1.7, no default for a wrong type.

/// An argument that a function does not take. The guard says whose it is: `problem` goes on from the
/// argument's number.
class ArgumentError : public Error {
 public:
  ArgumentError(int index, std::string problem)
      : Error("argument " + std::to_string(index) + problem), index_(index), problem_(std::move(problem)) {}
  int index() const { return index_; }                     ///< On the stack; a method's object is 1.
  const std::string& problem() const { return problem_; }  ///< " must be text, got nil"

 private:
  int index_;
  std::string problem_;
};

[[noreturn]] void wrong_argument(lua_State* L, int index, std::string_view expected);
/// The same of the item on top of the stack, which stands at `item` (from 1) of the list at `index`.
[[noreturn]] void wrong_item(lua_State* L, int index, std::size_t item, std::string_view expected);
/// Length of the list at `index`, each of whose items must be `expected`: nil inside is refused, since Lua's
/// `#` may take such a list for shorter than it is.
std::size_t check_list(lua_State* L, int index, std::string_view expected);

double check_number(lua_State* L, int index);  ///< Finite.
std::int64_t check_integer(lua_State* L, int index, std::int64_t low, std::int64_t high);
std::string check_string(lua_State* L, int index);
bool check_bool(lua_State* L, int index);
void check_function(lua_State* L, int index);
inline bool is_absent(lua_State* L, int index) {
  return lua_isnoneornil(L, index);
}

// Values. A Lua table with keys 1..n is a list, one with string keys an object, {} an empty object.

/// Throws Error for functions, userdata, cycles, mixed keys; `what` names the value in the message.
Json to_json(lua_State* L, int index, std::string_view what = "value");
/// null becomes nil; integers and floats become numbers.
void push_json(lua_State* L, const Json& value);

inline int push(lua_State* L, const Json& value) {
  return push_json(L, value), 1;
}
inline int push(lua_State* L, double value) {
  return lua_pushnumber(L, value), 1;
}
inline int push(lua_State* L, int value) {
  return lua_pushinteger(L, value), 1;
}
inline int push(lua_State* L, std::int64_t value) {
  return lua_pushnumber(L, static_cast<double>(value)), 1;
}
inline int push(lua_State* L, std::size_t value) {
  return lua_pushnumber(L, static_cast<double>(value)), 1;
}
inline int push(lua_State* L, bool value) {
  return lua_pushboolean(L, value), 1;
}
inline int push(lua_State* L, const char* text) {
  return lua_pushstring(L, text), 1;
}
inline int push(lua_State* L, std::string_view text) {
  return lua_pushlstring(L, text.data(), text.size()), 1;
}
inline int push(lua_State* L, const std::string& text) {
  return push(L, std::string_view(text));
}

/// The option struct at `index`; absent or nil: the defaults. `what` begins its error messages.
template <OptionStruct S>
S options(lua_State* L, int index, std::string_view what) {
  if (is_absent(L, index)) return {};
  return parse_options<S>(to_json(L, index, what), what);
}

}  // namespace imatch::host
