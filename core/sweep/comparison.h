// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include "sweep/run_folder.h"

namespace imatch {

/// Cells of two runs that have the same parameters.
struct Comparison {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;  ///< In the order of the first run's plan.
  std::size_t num_only_first = 0;
  std::size_t num_only_second = 0;
};

/// Pairs the finished cells of two runs. An axis that one run lacks and that has one value in the other is
/// left out of the comparison. Throws Error when the axes differ otherwise.
Comparison compare_runs(const RunFolder& first, const RunFolder& second);

}  // namespace imatch
