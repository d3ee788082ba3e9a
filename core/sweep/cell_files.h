// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sweep/cell.h"

namespace imatch {

/// Names in a folder, sorted; none when there is no such folder. Throws Failure (unreadable).
std::vector<std::string> names_in(const std::string& folder);

bool has_ending(std::string_view name, std::string_view ending);

/// Reads the records of cells, several at once and in batches, so that 100,000 are never in memory together,
/// and hands each to `take` in the order of `paths`; nothing for one that is gone or damaged. Throws Failure
/// (unreadable), Interrupted.
void read_cells(const std::vector<std::string>& paths,
                const std::function<void(std::size_t i, std::optional<CellRecord> record)>& take);

/// Writes the file unless it holds these bytes already. True when it did not.
bool write_if_changed(const std::string& path, std::string_view bytes);

}  // namespace imatch
