// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.hpp>
#include <string>
#include <vector>

namespace imatch::host {

/// The one Lua state of the process, closed before static destructors run.
class State {
 public:
  State();
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  lua_State* get() const { return L_; }

 private:
  lua_State* L_;
};

/// How a chunk ended.
struct Outcome {
  bool ok = true;
  int signal = 0;       ///< SIGINT or SIGTERM when it was interrupted.
  std::string message;  ///< With traceback, when it failed.
  int exit_status() const { return ok ? 0 : signal ? 128 + signal : 1; }
};

/// Loads user code with the JIT compiler off for it: compiled loops do not see Ctrl-C (library modules keep
/// the JIT). Pushes the function and returns true, or pushes the message.
bool load_user_code(lua_State* L, const std::string& code, const std::string& chunk_name);
bool load_user_file(lua_State* L, const std::string& path);

/// Calls the function below `num_args` arguments. Its results stay on the stack when it succeeds.
Outcome call(lua_State* L, int num_args, int num_results);

/// Sets the global `arg` (arg[0] = name) and pushes the arguments.
void push_arguments(lua_State* L, const std::string& name, const std::vector<std::string>& arguments);

/// Any value as text through tostring; never fails.
std::string text_of(lua_State* L, int index);

}  // namespace imatch::host
