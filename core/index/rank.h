// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "index/metric.h"

namespace imatch {

/// A vector found near a query.
struct Candidate {
  double score = 0;
  std::int64_t id = 0;
};

/// Inner product or squared distance, summed in float64 in one fixed order.
double exact_score(Metric metric, const float* a, const float* b, std::int64_t dim);

/// Whether a stands before b in a result: by score as float32, then by id.
bool stands_before(Metric metric, const Candidate& a, const Candidate& b);

/// Sorts the candidates and writes the first k; what is missing becomes -1.
void write_ranked(Metric metric, std::vector<Candidate>& candidates, std::int64_t k, float* scores,
                  std::int64_t* ids);

}  // namespace imatch
