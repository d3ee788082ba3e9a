// SPDX-License-Identifier: Apache-2.0
#include "evaluation/prediction_metrics.h"

#include <map>
#include "catch.h"

using namespace imatch;

namespace {

std::map<std::string, double> values_by_name(const std::vector<MetricValue>& metrics) {
  std::map<std::string, double> values;
  for (const MetricValue& metric : metrics) values[metric.name] = metric.value;
  return values;
}

Prediction prediction(bool found, std::optional<double> error_m, std::optional<double> rank, double time_ms) {
  Prediction p;
  p.found = found, p.error_m = error_m, p.rank = rank, p.time_ms = time_ms;
  return p;
}

}  // namespace

TEST_CASE("Predictions are counted over all queries, found or not") {
  const std::vector<Prediction> four{prediction(true, 0.5, 1, 10), prediction(true, 8, 7, 20),
                                     prediction(false, 140, {}, 30), prediction(false, {}, {}, 40)};
  PredictionMetricsOptions options;
  options.recall_k = {1, 10};
  const auto metrics = prediction_metrics(four, options);
  auto values = values_by_name(metrics);
  CHECK(values["n_all"] == 4);
  CHECK(values["found_rate"] == 0.5);
  CHECK(values["false_positives"] == 1);
  CHECK(values["hit@5m"] == 0.25);
  CHECK(values["hit@10m"] == 0.5);
  CHECK(values["top1_median_m"] == 8);
  CHECK(values["failure_rate"] == 0.5);
  CHECK(values["R@1_all"] == 0.25);
  CHECK(values["R@10_all"] == 0.5);
  CHECK(values["time_median_ms"] == 25);
  for (const MetricValue& metric : metrics) CHECK_FALSE(metric.definition.empty());
  const Json curves = prediction_curves(four);
  CHECK(curves["hit"][8] == 0.5);
  CHECK(curves["latency_ms"]["total"]["max"] == 40);
}

TEST_CASE("Without a truth only what needs none is told") {
  const std::vector<Prediction> two{prediction(true, {}, {}, 10), prediction(false, {}, {}, 30)};
  auto values = values_by_name(prediction_metrics(two));
  CHECK(values.size() == 3);
  CHECK(values["found_rate"] == 0.5);
  CHECK(prediction_curves(two)["hit"].empty());
}
