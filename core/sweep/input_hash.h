// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace imatch {

/// SHA-256 of a file; of a folder: over the names (relative, sorted) and hashes of all files below it. 64
/// hexadecimal digits. A file is read once while its size and time of modification stay. Throws Failure
/// (not_found, not_a_file, unreadable), Interrupted.
std::string hash_of_path(const std::string& path);

}  // namespace imatch
