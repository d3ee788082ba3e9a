// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "index/metric.h"

namespace faiss {
struct Index;
}

namespace imatch {

Metric metric_of(const faiss::Index& index);

/// Searches any FAISS index so that a query's result does not depend on the queries asked with it: flat
/// indexes as flat_search does, graphs and inverted lists by what FAISS computes for each query alone,
/// anything else (product quantisers, transforms) query by query. Writes [num_queries, k] as Neighbours has
/// them. `ids`, when given, are the ids of the positions that the index knows.
void search_faiss(const faiss::Index& index, const float* queries, std::int64_t num_queries, std::int64_t k,
                  float* scores, std::int64_t* neighbours, const std::int64_t* ids = nullptr);

}  // namespace imatch
