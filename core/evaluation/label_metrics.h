// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "evaluation/metric.h"
#include "evaluation/search_evaluation.h"

namespace imatch {

/// The values that scripts know of a group of queries against a label index, by the names that they know:
/// haversine_recall_at_k, xy_recall_at_k, haversine_avg_rank, ..., <time>_ms_mean, haversine_hit_<X>m. What
/// the sphere says is `haversine_`, what x and y of the label index say `xy_`.
std::vector<MetricValue> label_metrics(std::span<const EvaluationRow> rows, std::span<const double> hit_m);

}  // namespace imatch
