// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "evaluation/ground_truth.h"
#include "evaluation/localization_metrics.h"
#include "evaluation/nearest_reference.h"
#include "retrieval/search_result.h"

namespace imatch {

/// One query of an evaluation with all that its row says.
struct EvaluationRow {
  std::string query;
  std::optional<LatLon> truth;
  std::optional<LatLon> predicted;  ///< Of the first reference found.
  std::string predicted_name, true_reference, true_reference_xy;
  std::string file;    ///< Where the result was read.
  std::int64_t k = 0;  ///< Neighbours searched for.
  double score = 0;    ///< Of the first reference found; NaN without one.
  double embed_ms = 0, search_ms = 0, total_ms = 0, index_build_ms = 0;
  QueryOutcome outcome;
  NearestReference haversine, xy;
};

/// Search results compared with true positions.
struct Evaluation {
  std::string group, weight, mode, direction;
  LocalizationEvaluation scores;
  std::vector<MetricValue> label_metrics;  ///< As label_metrics gives them.
  std::vector<double> hit_m;
  std::vector<EvaluationRow> rows;
  Json curves;  ///< What the plots show: `hit` (share within each metre to 100), `top_k` (quantiles of the
                ///< least distance among the first K), `latency_ms` (quantiles).
  std::int64_t num_references = 0;
};

/// Truth of the queries and positions of the references by name. References without a position count
/// as none; how many there are is a warning.
Evaluation evaluate_results(const SearchResults& results, const PositionTable& queries,
                            const PositionTable& references, const LocalizationMetricsOptions& options = {});

/// {group, weight, mode, direction, num_references, metrics[]{name, value, unit, definition, better},
/// label_metrics[] likewise, warnings[], curves}.
Json summary_json(const Evaluation& evaluation);

/// Writes into the folder: summary.json, an object by group of the label metrics by name and of summary_json;
/// summary.csv with a row a group; metrics.csv with their definitions; details.json and .csv with a row a
/// query; and queries.geojson (query, prediction and error line of each, longitude first) and queries.kml, of
/// several groups each in a folder of its name. Groups that share a name are numbered. Throws Failure
/// (unwritable, no_space).
void write_evaluations(const std::string& folder, std::span<const Evaluation* const> evaluations);

}  // namespace imatch
