// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "index/flat_search.h"
#include "io/mapped_file.h"

namespace imatch {

/// The vectors of a FAISS Flat index (with or without an id map) that stay in their file.
struct MappedFlat {
  ByteRange file;
  FlatVectors vectors;
  Metric metric = Metric::kInnerProduct;
  std::vector<std::int64_t> ids;  ///< Empty: positions.
};

/// nullopt when the file holds another kind of index. Throws Failure: not_found, not_a_file, unreadable;
/// bad_format for a truncated file.
std::optional<MappedFlat> map_flat(const std::string& path);

}  // namespace imatch
