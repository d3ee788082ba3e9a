// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "index/metric.h"

namespace imatch {

/// Vectors that lie one after the other, in memory or in a mapped file (where they need not be aligned).
struct FlatVectors {
  const std::byte* bytes = nullptr;  ///< count * dim float32.
  std::int64_t count = 0;
  std::int64_t dim = 0;
  const std::int64_t* ids = nullptr;  ///< nullptr: the position is the id.
};

/// Exact search; writes [num_queries, k] as Neighbours has them. The result depends neither on how many
/// queries are asked together nor on the number of threads: a fast pass in float32 finds a few candidates
/// more than k, their scores are computed in float64, and a query whose k-th place rounding could have
/// decided is gone through once more for everything that near. Vectors that are not in memory are read block
/// by block.
void flat_search(const FlatVectors& base, Metric metric, const float* queries, std::int64_t num_queries,
                 std::int64_t k, float* scores, std::int64_t* ids);

}  // namespace imatch
