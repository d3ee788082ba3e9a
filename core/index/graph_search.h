// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "index/metric.h"

namespace faiss {
struct IndexHNSW;
}

namespace imatch {

/// Whether graph_search can take the index: its vectors are plain floats.
bool is_plain_graph(const faiss::IndexHNSW& index);

/// Walks a hierarchical navigable small world graph (Malkov and Yashunin, 2018) that FAISS has built: from
/// the entry point greedily down to level 0, there with max(efSearch, k) candidates. Neighbours are fetched
/// ahead and their distances taken four at a time. Each query is walked by one thread. Writes [num_queries,
/// k], scores in float64 rounded to float32; -1 where the walk found fewer.
void graph_search(const faiss::IndexHNSW& index, Metric metric, const float* queries,
                  std::int64_t num_queries, std::int64_t k, float* scores, std::int64_t* positions);

}  // namespace imatch
