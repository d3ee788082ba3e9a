// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.hpp>
#include <string>

namespace imatch::host {

/// Warns on standard error when the user's code (source.h) reads a global variable that nothing has assigned:
/// that is a typo more often than a nil. Libraries ask for globals that may be missing and are left alone,
/// and so is a metatable that the user gives the globals.
void watch_globals(lua_State* L);

/// The variables of a session (repl.h): a table whose fields they are, in front of the globals. Those named
/// in `declared` are its own even while they are nil; what is assigned to others becomes a global. Pushes the
/// table when `variables` is 0.
void make_session_variables(lua_State* L, int variables, int declared);

/// Makes reading a field that the table on top of the stack does not have an error that says so: "im has no
/// 'imge'; did you mean 'image'?" `what` is the table's name.
void refuse_unknown_fields(lua_State* L, const std::string& what);

}  // namespace imatch::host
