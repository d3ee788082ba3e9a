// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/options.h"

namespace imatch {

/// A cell of a plan that is finished in another run folder.
struct FinishedElsewhere {
  std::size_t cell = 0;
  std::string key;
  std::string folder;  ///< The other run folder.
  std::string worker;  ///< Who measured it there.
};

/// Run folders beside `path` whose `identity` differs from this one in "chosen" alone: in the values of axes
/// that the command line put in place of the script's own. A cell of the same parameters is the same cell
/// there.
std::vector<std::string> siblings_of(const std::string& path, const Json& identity);

/// Makes them finished cells of the run folder `path`: records, pictures, and the provenance of those who
/// measured them. Records and pictures are linked, or copied where the file system has no links. Throws
/// Failure (unwritable, no_space).
void take_over(const std::vector<FinishedElsewhere>& cells, const std::string& path);

}  // namespace imatch
