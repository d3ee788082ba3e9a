// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace imatch::host {

/// What could stand at the end of a line.
struct Completions {
  std::size_t start = 0;           ///< Where in the line the word that is completed begins.
  std::vector<std::string> words;  ///< Whole words, sorted; functions end in "(", folders in "/".
};

/// Global names, keywords, table fields after '.', methods after ':' (of `list[1]` too), inside of a call's
/// `{` the names of its options and of those of the backbone that it names, and inside quotes names of
/// backbones, choices of an option and files. Calls no Lua code but that of our own documentation.
/// `environment`: index of the table whose fields are variables besides the globals, or 0.
Completions complete(lua_State* L, std::string_view text, int environment = 0);

/// The longest beginning that all words share.
std::string common_beginning(const std::vector<std::string>& words);

}  // namespace imatch::host
