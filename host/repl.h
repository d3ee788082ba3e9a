// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.hpp>

namespace imatch::host {

/// Reads, evaluates and prints until the end of input. Ctrl-C stops the line, not the session.
/// Returns the exit status. With the index of a table, lines see its fields as variables and write to it:
/// the session inside of a script.
int run_repl(lua_State* L, int environment = 0);

}  // namespace imatch::host
