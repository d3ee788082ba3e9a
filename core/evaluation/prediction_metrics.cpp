// SPDX-License-Identifier: Apache-2.0
#include "evaluation/prediction_metrics.h"

#include <fmt/format.h>

#include <algorithm>

#include "evaluation/curves.h"
#include "evaluation/error_ellipse.h"

namespace imatch {
namespace {

std::vector<double> values_of(std::span<const Prediction> predictions,
                              std::optional<double> Prediction::*member) {
  std::vector<double> values;
  for (const Prediction& prediction : predictions)
    if (prediction.*member) values.push_back(*(prediction.*member));
  return values;
}

/// Of the found queries that have them.
std::vector<PlaneError> plane_errors_of(std::span<const Prediction> predictions) {
  std::vector<PlaneError> errors;
  for (const Prediction& p : predictions)
    if (p.found && p.east_error_m && p.north_error_m && p.east_sigma_m && p.north_sigma_m)
      errors.push_back({*p.east_error_m, *p.north_error_m, *p.east_sigma_m, *p.north_sigma_m,
                        p.east_north_correlation.value_or(0)});
  return errors;
}

}  // namespace

std::vector<MetricValue> prediction_metrics(std::span<const Prediction> predictions,
                                            const PredictionMetricsOptions& options) {
  const std::size_t n = predictions.size();
  const auto errors = values_of(predictions, &Prediction::error_m);
  std::vector<MetricValue> list;
  const auto add = [&](const char* name, const char* unit, std::optional<Better> better, double value,
                       std::string definition) {
    list.push_back({{name, unit, std::move(definition), better}, value, {}});
  };
  const auto median = [&](std::optional<double> Prediction::*member) {
    return median_of(values_of(predictions, member));
  };
  const auto found =
      std::count_if(predictions.begin(), predictions.end(), [](const Prediction& p) { return p.found; });
  add("n_all", "", std::nullopt, static_cast<double>(n), "queries");
  add("found_rate", "", Better::kHigher, static_cast<double>(found) / static_cast<double>(n),
      "share of queries with at least min_inliers inliers");
  if (!errors.empty()) {
    const auto wrong = std::count_if(predictions.begin(), predictions.end(), [&](const Prediction& p) {
      return p.found && p.error_m && *p.error_m > options.wrong_m;
    });
    add("false_positives", "", Better::kLower, static_cast<double>(wrong),
        fmt::format("queries that are found, but farther than {:g} m from the true position",
                    options.wrong_m));
    for (MetricValue& hit : hit_rates(errors, options.hit_m, n)) list.push_back(std::move(hit));
    list.push_back({position_error_median(), median_of(errors), {}});
    list.push_back({position_error_p90(), quantile_of(errors, 0.9), {}});
    list.push_back(failure_rate(errors, options.failure_m, n));
    const auto ranks = values_of(predictions, &Prediction::rank);
    for (const int k : options.recall_k)
      list.push_back({retrieval_recall(k, options.radius_m), share_within(ranks, k, n),
                      wilson_interval(share_within(ranks, k, n), n)});
    add("heading_median_deg", "deg", Better::kLower, median(&Prediction::heading_error_deg),
        "median difference from the true heading, over the queries that have both");
    add("width_median", "", Better::kLower, median(&Prediction::width_error),
        "median relative error of the width on the ground");
    add("sigma_median_m", "m", Better::kLower, median(&Prediction::position_sigma_m),
        "median of the standard deviation that the predictions give themselves, both directions together");
    if (const auto in_plane = plane_errors_of(predictions); !in_plane.empty()) {
      for (const int percent : {68, 95}) {
        const double p = percent / 100.0;
        add(fmt::format("coverage_{}", percent).c_str(), "", std::nullopt, ellipse_coverage(in_plane, p),
            fmt::format("share of found queries whose true position lies inside of the {} % ellipse of the "
                        "prediction; {:g} is right",
                        percent, p));
        add(fmt::format("coverage_{}_others", percent).c_str(), "", std::nullopt,
            ellipse_coverage_of_others(in_plane, p),
            "the same with map_error_m of all other queries added to the ellipse");
      }
      add("map_error_m", "m", Better::kLower, unexplained_sigma_m(in_plane),
          "standard deviation along each axis that the predictions do not account for (maximum likelihood): "
          "the error of the map's georeference beyond what they count with, and of the truth");
    }
  }
  add("time_median_ms", "ms", Better::kLower, median(&Prediction::time_ms),
      "median time a query: decoding, features, retrieval, matching");
  return list;
}

Json prediction_curves(std::span<const Prediction> predictions) {
  const auto errors = values_of(predictions, &Prediction::error_m);
  Json latency = Json::object();
  const Json total = box_of(values_of(predictions, &Prediction::time_ms));
  if (!total.is_null()) latency["total"] = total;
  return {{"hit", hit_curve(errors, errors.empty() ? 0 : predictions.size())}, {"latency_ms", latency}};
}

}  // namespace imatch
