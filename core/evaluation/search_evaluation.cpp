// SPDX-License-Identifier: Apache-2.0
#include "evaluation/search_evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace imatch {
namespace {

Json quantiles(std::vector<double> values) {
  if (values.empty()) return nullptr;
  std::sort(values.begin(), values.end());
  const auto at = [&](double q) {
    const double place = (static_cast<double>(values.size()) - 1) * q;
    const auto low = static_cast<std::size_t>(place), high = std::min(low + 1, values.size() - 1);
    return values[low] + (values[high] - values[low]) * (place - static_cast<double>(low));
  };
  return {{"count", values.size()}, {"min", values.front()}, {"p5", at(0.05)},  {"q1", at(0.25)},
          {"median", at(0.5)},      {"q3", at(0.75)},        {"p95", at(0.95)}, {"max", values.back()}};
}

Json hit_curve(const std::vector<EvaluationRow>& rows) {
  std::vector<std::int64_t> within(101);
  std::int64_t n = 0;
  for (const EvaluationRow& row : rows) {
    if (!row.truth) continue;
    ++n;
    if (!std::isnan(row.outcome.top1_m) && row.outcome.top1_m <= 100)
      ++within[static_cast<std::size_t>(std::ceil(row.outcome.top1_m))];
  }
  Json curve = Json::array();
  std::int64_t sum = 0;
  for (std::size_t m = 0; m < within.size() && n > 0; ++m) {
    sum += within[m];
    curve.push_back(static_cast<double>(sum) / static_cast<double>(n));
  }
  return curve;
}

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
    Json box = quantiles(std::move(least));
    if (box.is_null()) continue;
    box["k"] = k;
    top_k.push_back(std::move(box));
  }
  Json latency = Json::object();
  const auto times = [&](const char* name, double EvaluationRow::*member) {
    std::vector<double> values;
    for (const EvaluationRow& row : evaluation.rows)
      if (!std::isnan(row.*member)) values.push_back(row.*member);
    if (!values.empty()) latency[name] = quantiles(std::move(values));
  };
  times("embed", &EvaluationRow::embed_ms);
  times("search", &EvaluationRow::search_ms);
  times("total", &EvaluationRow::total_ms);
  return {{"hit", hit_curve(evaluation.rows)}, {"top_k", top_k}, {"latency_ms", latency}};
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
  evaluation.weight = results.weight;
  evaluation.mode = results.mode;
  evaluation.direction = results.direction;
  evaluation.num_references = static_cast<std::int64_t>(references.size());
  evaluation.figures = evaluate_localization(evaluated, references.positions(), options);
  if (unknown > 0)
    evaluation.figures.warnings.push_back(
        fmt::format("{} of the {} references that were answered have no position", unknown, numbers.size()));
  evaluation.rows.reserve(evaluated.size());
  for (std::size_t i = 0; i < evaluated.size(); ++i) {
    const RetrievedQuery& query = evaluated[i];
    EvaluationRow row;
    row.query = query.name;
    row.truth = query.truth;
    row.outcome = evaluation.figures.outcomes[i];
    row.score = query.scores.empty() ? std::numeric_limits<double>::quiet_NaN() : query.scores.front();
    row.embed_ms = query.embed_ms, row.search_ms = query.search_ms, row.total_ms = query.total_ms;
    if (!query.references.empty() && query.references.front() >= 0) {
      row.predicted = references.positions()[static_cast<std::size_t>(query.references.front())];
      row.predicted_name = references.name(query.references.front());
    }
    if (row.outcome.true_reference >= 0) row.true_reference = references.name(row.outcome.true_reference);
    evaluation.rows.push_back(std::move(row));
  }
  evaluation.curves = curves_of(evaluation, evaluated, references.positions(), options);
  return evaluation;
}

}  // namespace imatch
