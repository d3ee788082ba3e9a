// SPDX-License-Identifier: Apache-2.0
#include "evaluation/label_metrics.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>

namespace imatch {
namespace {

struct Measure {
  const char* name;
  const char* words;
  NearestReference EvaluationRow::*outcome;
};
constexpr Measure kMeasures[] = {{"haversine", "by Haversine, R = 6,371,000 m", &EvaluationRow::haversine},
                                 {"xy", "by x and y of the label index", &EvaluationRow::xy}};

struct Latency {
  const char* name;
  double EvaluationRow::*ms;
};
constexpr Latency kLatencies[] = {{"embed", &EvaluationRow::embed_ms},
                                  {"search", &EvaluationRow::search_ms},
                                  {"total", &EvaluationRow::total_ms},
                                  {"index_build", &EvaluationRow::index_build_ms}};

/// The values that are known, in the order of the rows.
std::vector<double> known(std::span<const EvaluationRow> rows,
                          const std::function<double(const EvaluationRow&)>& of) {
  std::vector<double> values;
  for (const EvaluationRow& row : rows)
    if (const double value = of(row); !std::isnan(value)) values.push_back(value);
  return values;
}

std::vector<double> ranks_of(std::span<const EvaluationRow> rows, const Measure& measure) {
  std::vector<double> ranks;
  for (const EvaluationRow& row : rows)
    if ((row.*measure.outcome).rank > 0) ranks.push_back(static_cast<double>((row.*measure.outcome).rank));
  return ranks;
}

std::vector<double> known_of(std::span<const EvaluationRow> rows, const Measure& measure,
                             double NearestReference::*member) {
  return known(rows, [&](const EvaluationRow& row) { return row.*measure.outcome.*member; });
}

}  // namespace

std::vector<MetricValue> label_metrics(std::span<const EvaluationRow> rows, std::span<const double> hit_m) {
  std::vector<MetricValue> list;
  const auto add = [&](std::string name, const char* unit, double value, std::optional<Better> better,
                       std::string definition) {
    list.push_back({{std::move(name), unit, std::move(definition), better}, value, {}});
  };
  const auto add_mean_and_median = [&](const std::string& name, const char* ending,
                                       std::vector<double> values, const char* unit,
                                       const std::string& what) {
    add(fmt::format("{}_mean{}", name, ending), unit, mean_of(values), Better::kLower, "mean " + what);
    add(fmt::format("{}_median{}", name, ending), unit, median_of(std::move(values)), Better::kLower,
        "median " + what);
  };
  add("queries", "", static_cast<double>(rows.size()), std::nullopt, "queries in the results");
  for (const Measure& measure : kMeasures) {
    const auto all = known_of(rows, measure, &NearestReference::reference_m);
    const auto ranks = ranks_of(rows, measure);
    add(fmt::format("{}_recall_at_k", measure.name), "",
        all.empty() ? std::numeric_limits<double>::quiet_NaN()
                    : static_cast<double>(ranks.size()) / static_cast<double>(all.size()),
        Better::kHigher,
        fmt::format("share of queries whose nearest reference {} is among those found", measure.words));
  }
  for (const Measure& measure : kMeasures)
    add(fmt::format("{}_avg_rank", measure.name), "", mean_of(ranks_of(rows, measure)), Better::kLower,
        fmt::format("mean rank of the nearest reference {}, over the queries that have it among those found",
                    measure.words));
  for (const Measure& measure : kMeasures)
    add_mean_and_median(fmt::format("{}_top1", measure.name), "_m",
                        known_of(rows, measure, &NearestReference::top1_m), "m",
                        fmt::format("distance of the first reference found {}", measure.words));
  for (const Measure& measure : kMeasures)
    add_mean_and_median(fmt::format("{}_min_topk", measure.name), "_m",
                        known_of(rows, measure, &NearestReference::least_m), "m",
                        fmt::format("least distance of any reference found {}", measure.words));
  for (const Latency& latency : kLatencies)
    add_mean_and_median(fmt::format("{}_ms", latency.name), "",
                        known(rows, [&](const EvaluationRow& row) { return row.*latency.ms; }), "ms",
                        fmt::format("of {} over the queries", latency.name));
  const auto num_true = known_of(rows, kMeasures[0], &NearestReference::reference_m).size();
  const auto least = known_of(rows, kMeasures[0], &NearestReference::least_m);
  for (const double limit : hit_m)
    add(fmt::format("haversine_hit_{:g}m", limit), "", share_within(least, limit, num_true), Better::kHigher,
        fmt::format("share of queries with a reference at most {:g} m away among those found", limit));
  return list;
}

}  // namespace imatch
