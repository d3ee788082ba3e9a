// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/options.h"
#include "evaluation/metric.h"

namespace imatch {

/// What a photo's localisation on a map predicted, against the truth where that is known.
struct Prediction {
  bool found = false;  ///< With enough inliers to be believed.
  std::optional<double> error_m, heading_error_deg, width_error, position_sigma_m, time_ms;
  std::optional<double> east_error_m, north_error_m, east_sigma_m, north_sigma_m, east_north_correlation;
  std::optional<double> rank;  ///< Of the first tile within the radius in the retrieval, from 1.

  static constexpr auto fields = std::tuple{
      field("found", &Prediction::found, anything(), "Whether there were inliers enough."),
      field("error_m", &Prediction::error_m, at_least(0),
            "Distance from the true position; unset where either is unknown."),
      field("heading_error_deg", &Prediction::heading_error_deg, at_least(0),
            "Difference from the true heading."),
      field("width_error", &Prediction::width_error, at_least(0),
            "Relative error of the width on the ground."),
      field("position_sigma_m", &Prediction::position_sigma_m, at_least(0),
            "Standard deviation that the prediction gives itself."),
      field("east_error_m", &Prediction::east_error_m, anything(),
            "By how much the prediction lies east of the true position."),
      field("north_error_m", &Prediction::north_error_m, anything(), "Likewise north."),
      field("east_sigma_m", &Prediction::east_sigma_m, at_least(0),
            "Standard deviation that the prediction gives itself eastwards."),
      field("north_sigma_m", &Prediction::north_sigma_m, at_least(0), "Likewise northwards."),
      field("east_north_correlation", &Prediction::east_north_correlation, in_range(-1, 1), "Of the two."),
      field("time_ms", &Prediction::time_ms, at_least(0), "Time that the query took."),
      field("rank", &Prediction::rank, at_least(1),
            "Place of the first tile within radius_m in the retrieval, from 1; unset: none.")};
};

struct PredictionMetricsOptions {
  double radius_m = 25;
  double wrong_m = 5;
  double failure_m = 100;
  std::vector<int> recall_k{1, 5, 10, 20};
  std::vector<double> hit_m{1, 3, 5, 10, 20, 25, 50, 100};
  using Self = PredictionMetricsOptions;
  static constexpr auto fields = std::tuple{
      field("radius_m", &Self::radius_m, in_range(1e-3, 1e7),
            "A tile whose centre lies within it of the true position is right, m."),
      field("wrong_m", &Self::wrong_m, in_range(1e-3, 1e7),
            "What is found farther off than this is a false positive, m."),
      field("failure_m", &Self::failure_m, in_range(1e-3, 1e7), "Farther off than this is a failure, m."),
      field("recall_k", &Self::recall_k, in_range(1, 1e6), "The K of the recalls of the retrieval."),
      field("hit_m", &Self::hit_m, in_range(1e-3, 1e7), "The distances of the hit rates, m.")};
};

/// Metrics of all queries: how many are found, hit rates, errors, recall of the retrieval alone, times. Those
/// that need a truth are left out when no query has an error.
std::vector<MetricValue> prediction_metrics(std::span<const Prediction> predictions,
                                            const PredictionMetricsOptions& options = {});

/// {hit, latency_ms = {total}}: what the charts show (curves.h).
Json prediction_curves(std::span<const Prediction> predictions);

}  // namespace imatch
