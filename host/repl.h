// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.hpp>

namespace imatch::host {

/// Reads, evaluates and prints until the end of input. Ctrl-C stops the line, not the session.
/// Returns the exit status.
int run_repl(lua_State* L);

}  // namespace imatch::host
