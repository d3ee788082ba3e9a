// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "sweep/run_folder.h"

namespace imatch {

/// A picture that a cell has left in pictures/<key>/ of its run folder.
struct CellPicture {
  std::size_t cell;
  std::string name;      ///< File name without suffix.
  std::string relative;  ///< Path below the run folder.
};

/// The pictures of the plan's cells, by cell and name.
std::vector<CellPicture> find_pictures(const RunFolder& run);

/// {name, source, file}: a data URL while `embedded` bytes are below 24 MB, else `link`.
Json picture_json(const RunFolder& run, const CellPicture& picture, const std::string& link,
                  std::size_t& embedded);

}  // namespace imatch
