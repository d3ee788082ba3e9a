// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace imatch {

/// Where an entry lies: FOLDER/ab/abcdef....features, so that no folder grows too large.
std::string entry_path(const std::string& folder, const std::string& key);

/// Marks the entry as used now, for the order of removal. Failures are ignored: the folder may be read-only.
void touch_entry(const std::string& path);

/// Where there are more than `limit` bytes, removes entries until at most `keep` are left, those used least
/// recently first (-1: all of them); and in any case what processes that were killed left half-written. Other
/// processes may do so at the same time. Returns the number of entries it removed.
std::int64_t shrink_cache_folder(const std::string& folder, double limit, double keep);

}  // namespace imatch
