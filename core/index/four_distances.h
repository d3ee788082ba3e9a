// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "index/metric.h"

namespace imatch {

/// Distances of a query to four rows at once, for which the query is read once and four sums run side by
/// side: the negative inner product or the squared distance, so that less is nearer. In float32, with AVX2
/// where there is.
void four_distances(Metric metric, const float* query, const float* const rows[4], std::int64_t dim,
                    float out[4]);

}  // namespace imatch
