// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace imatch {

/// The text with *** in the place of the passwords in its addresses: "redis://user:secret@host" becomes
/// "redis://user:***@host". For whatever is shown or written.
std::string without_passwords(std::string_view text);

/// The same of the words of a command line, where the value of an option --...password is one too.
std::vector<std::string> without_passwords(std::vector<std::string> words);

/// Overwrites the passwords in the memory that `ps` and /proc show, once the words have been copied.
void hide_passwords(int argc, char** argv);

}  // namespace imatch
