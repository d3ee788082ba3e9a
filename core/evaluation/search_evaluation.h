// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "evaluation/ground_truth.h"
#include "evaluation/localization_metrics.h"
#include "retrieval/search_result.h"

namespace imatch {

/// One query of an evaluation with all that its row says.
struct EvaluationRow {
  std::string query;
  std::optional<LatLon> truth;
  std::optional<LatLon> predicted;  ///< Of the first reference found.
  std::string predicted_name, true_reference;
  double score = 0;  ///< Of the first reference found; NaN without one.
  double embed_ms = 0, search_ms = 0, total_ms = 0;
  QueryOutcome outcome;
};

/// Search results compared with true positions.
struct Evaluation {
  std::string weight, mode, direction;
  LocalizationEvaluation scores;
  std::vector<EvaluationRow> rows;
  Json curves;  ///< What the plots show: `hit` (share within each metre to 100), `top_k` (quantiles of the
                ///< least distance among the first K), `latency_ms` (quantiles).
  std::int64_t num_references = 0;
};

/// Truth of the queries and positions of the references by name. References without a position count
/// as none; how many there are is a warning.
Evaluation evaluate_results(const SearchResults& results, const PositionTable& queries,
                            const PositionTable& references, const LocalizationMetricsOptions& options = {});

/// {weight, mode, direction, num_references, metrics[]{name, value, unit, definition, better}, warnings[],
/// curves}.
Json summary_json(const Evaluation& evaluation);

/// Writes summary.json and .csv, details.json and .csv, queries.geojson (query, prediction and error line of
/// each, longitude first) and queries.kml into the folder. Throws Failure (unwritable, no_space).
void write_evaluation(const std::string& folder, const Evaluation& evaluation);

}  // namespace imatch
