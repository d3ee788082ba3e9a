// SPDX-License-Identifier: Apache-2.0
#include "evaluation/search_evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "evaluation/curves.h"
#include "evaluation/label_metrics.h"

namespace imatch {
namespace {

Json curves_of(const Evaluation& evaluation, const std::vector<RetrievedQuery>& queries,
               const std::vector<LatLon>& references, const LocalizationMetricsOptions& options) {
  Json top_k = Json::array();
  for (const int k : options.recall_k) {
    std::vector<double> least;
    for (const RetrievedQuery& query : queries) {
      if (!query.truth) continue;
      double best = std::numeric_limits<double>::quiet_NaN();
      for (std::size_t i = 0; i < query.references.size() && i < static_cast<std::size_t>(k); ++i)
        if (query.references[i] >= 0) {
          const double d =
              haversine_m(*query.truth, references[static_cast<std::size_t>(query.references[i])]);
          if (!(best <= d)) best = d;
        }
      if (!std::isnan(best)) least.push_back(best);
    }
    Json box = box_of(std::move(least));
    if (box.is_null()) continue;
    box["k"] = k;
    top_k.push_back(std::move(box));
  }
  Json latency = Json::object();
  const auto times = [&](const char* name, double EvaluationRow::*member) {
    std::vector<double> values;
    for (const EvaluationRow& row : evaluation.rows)
      if (!std::isnan(row.*member)) values.push_back(row.*member);
    if (!values.empty()) latency[name] = box_of(std::move(values));
  };
  times("embed", &EvaluationRow::embed_ms);
  times("search", &EvaluationRow::search_ms);
  times("total", &EvaluationRow::total_ms);
  std::vector<double> errors_m;
  std::size_t n = 0;
  for (const EvaluationRow& row : evaluation.rows) {
    n += row.truth ? 1 : 0;
    if (row.truth && !std::isnan(row.outcome.top1_m)) errors_m.push_back(row.outcome.top1_m);
  }
  return {{"hit", hit_curve(errors_m, n)}, {"top_k", top_k}, {"latency_ms", latency}};
}

}  // namespace

Evaluation evaluate_results(const SearchResults& results, const PositionTable& queries,
                            const PositionTable& references, const LocalizationMetricsOptions& options) {
  std::vector<std::int64_t> numbers(results.references.size());
  std::int64_t unknown = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = references.number(results.references[i]);
    unknown += numbers[i] < 0 ? 1 : 0;
  }
  std::vector<RetrievedQuery> evaluated = results.queries;
  for (RetrievedQuery& query : evaluated) {
    query.truth = queries.find(query.name);
    for (std::int64_t& reference : query.references) reference = numbers[static_cast<std::size_t>(reference)];
  }
  Evaluation evaluation;
  evaluation.group = results.group;
  evaluation.weight = results.weight;
  evaluation.mode = results.mode;
  evaluation.direction = results.direction;
  evaluation.num_references = static_cast<std::int64_t>(references.size());
  evaluation.scores = evaluate_localization(evaluated, references.positions(), options);
  if (unknown > 0)
    evaluation.scores.warnings.push_back(
        fmt::format("{} of the {} references found have no position", unknown, numbers.size()));
  const std::set<std::string> database(results.references.begin(), results.references.end());
  const auto in_database = std::count_if(results.queries.begin(), results.queries.end(),
                                         [&](const auto& query) { return database.contains(query.name); });
  if (in_database > 0)
    evaluation.scores.warnings.push_back(
        fmt::format("{} of {} query pictures stand in the database themselves: they find themselves, and "
                    "recalls are too good",
                    in_database, results.queries.size()));
  evaluation.hit_m = options.hit_m;
  evaluation.rows.reserve(evaluated.size());
  const PlaneReferences plane(references.plane());
  for (std::size_t i = 0; i < evaluated.size(); ++i) {
    const RetrievedQuery& query = evaluated[i];
    EvaluationRow row;
    row.query = query.name;
    row.truth = query.truth;
    row.outcome = evaluation.scores.outcomes[i];
    row.score = query.scores.empty() ? std::numeric_limits<double>::quiet_NaN() : query.scores.front();
    row.file = query.file;
    row.k = query.k > 0 ? query.k : static_cast<std::int64_t>(query.references.size());
    row.embed_ms = query.embed_ms, row.search_ms = query.search_ms, row.total_ms = query.total_ms;
    row.index_build_ms = query.index_build_ms;
    if (!query.references.empty() && query.references.front() >= 0) {
      row.predicted = references.positions()[static_cast<std::size_t>(query.references.front())];
      row.predicted_name = references.name(query.references.front());
    }
    row.haversine = {row.outcome.true_reference, row.outcome.true_reference_m,
                     rank_of(row.outcome.true_reference, query.references), row.outcome.top1_m,
                     row.outcome.least_m};
    if (const auto number = queries.number(query.name); number >= 0)
      if (const auto truth = queries.plane()[static_cast<std::size_t>(number)])
        row.xy = plane.nearest(*truth, query.references);
    if (row.haversine.reference >= 0) row.true_reference = references.name(row.haversine.reference);
    if (row.xy.reference >= 0) row.true_reference_xy = references.name(row.xy.reference);
    evaluation.rows.push_back(std::move(row));
  }
  evaluation.label_metrics = label_metrics(evaluation.rows, options.hit_m);
  evaluation.curves = curves_of(evaluation, evaluated, references.positions(), options);
  return evaluation;
}

}  // namespace imatch
