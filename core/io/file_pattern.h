// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace imatch {

/// A file whose path says what it is.
struct NamedFile {
  std::string path;                                         ///< Relative to the folder that was searched.
  std::vector<std::pair<std::string, std::string>> groups;  ///< By name, in the order of the pattern.
};

/// The files in a folder and below whose relative path matches a regular expression with named groups
/// (ECMAScript's, and Python's `(?P<name>...)`) from its beginning to its end, in any case; sorted by path.
/// Hidden ones are left out. Throws Error for a pattern that cannot be read, Failure as list_files.
std::vector<NamedFile> find_files(const std::string& folder, const std::string& pattern);

}  // namespace imatch
