// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.hpp>
#include <string>
#include <vector>

#include "state.h"

namespace imatch::host {

/// Lines of Lua that share their variables: what a person types in the terminal (repl.h) and the cells of a
/// notebook (notebook.h).
class Session {
 public:
  /// `given`: the two topmost values are the variables that lines see and write, and the set of the names
  /// that are its own (make_session_variables); else both are new. They stay on the stack.
  Session(lua_State* L, bool given);

  enum class Loaded { kYes, kIncomplete, kNo };
  /// As an expression first, then as statements, the last of which may be an expression; their outermost
  /// locals are the session's once it is run. Pushes the function, or the message.
  Loaded load(const std::string& text);

  struct Result {
    Outcome outcome;
    int count = 0;  ///< Values left on the stack.
    double ms = 0;
  };
  /// Calls the function on top of the stack; the first of its values becomes `_`, and that `__`.
  Result run();

  /// require(module).name(the `num_args` values on top); an error is told on standard error, not raised.
  bool call_library(const char* module, const char* name, int num_args, int num_results = 0);

  /// True when a variable of that name has a value.
  bool has(const std::string& name) const;
  int variables() const { return variables_; }

 private:
  lua_State* lua_;
  int variables_, declared_;
  std::vector<std::string> locals_;  ///< Of what was loaded last.
};

}  // namespace imatch::host
