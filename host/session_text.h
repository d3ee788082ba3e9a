// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace imatch::host {

/// What was typed in a session, made to be run with the session's variables around it.
struct SessionText {
  std::string code;
  std::vector<std::string> declared;  ///< Names that stood behind a `local` outside of any block.
};

/// A line's own locals would be gone with the line: `local x = 1` outside of functions and blocks becomes an
/// assignment to a variable of the session. Everything else is left as it is, and stays in its column.
SessionText session_text(std::string_view typed);

}  // namespace imatch::host
