// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "geo/distance.h"

namespace imatch {

/// One query and what a search gave for it.
struct RetrievedQuery {
  std::string name;
  std::string file;    ///< Where the result was read.
  std::int64_t k = 0;  ///< Neighbours that the search was to find; 0: not known.
  std::optional<LatLon> truth;
  std::vector<std::int64_t> references;  ///< By rank; -1: one without a position.
  std::vector<double> scores;            ///< As many.
  /// NaN: not known.
  double embed_ms = 0, search_ms = 0, total_ms = 0, index_build_ms = 0;
};

}  // namespace imatch
