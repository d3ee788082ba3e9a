// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace imatch {

/// Size of a regular file in bytes. Throws Failure (not_found, not_a_file, unreadable).
std::uint64_t file_bytes(const std::string& path);

/// Removes a file or an empty folder; false when there was none. Throws Failure (unwritable).
bool remove_file(const std::string& path);

}  // namespace imatch
