// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.hpp>

namespace imatch::host {

/// Reads, evaluates and prints until the end of input. Ctrl-C stops the line, not the session.
/// Returns the exit status. `inside_script`: the two topmost values are the variables that the lines see and
/// write, and the set of the names that are its own (make_session_variables).
int run_repl(lua_State* L, bool inside_script = false);

}  // namespace imatch::host
