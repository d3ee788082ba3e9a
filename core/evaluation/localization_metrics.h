// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/options.h"
#include "evaluation/metric.h"
#include "geo/distance.h"
#include "retrieval/retrieved_query.h"

namespace imatch {

struct LocalizationMetricsOptions {
  double radius_m = 25;
  std::vector<int> recall_k{1, 5, 10, 20};
  std::vector<double> hit_m{1, 3, 5, 10, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100};
  double failure_m = 100;
  double tile_width_m = 0;
  double gt_sigma_m = 0;
  using Self = LocalizationMetricsOptions;
  static constexpr auto fields = std::tuple{
      field("radius_m", &Self::radius_m, in_range(1e-3, 1e7),
            "A reference within it of the true position is right, m."),
      field("recall_k", &Self::recall_k, in_range(1, 1e6), "The K of the recalls and of SDM and PDM."),
      field("hit_m", &Self::hit_m, in_range(1e-3, 1e7), "The distances of the hit rates, m."),
      field("failure_m", &Self::failure_m, in_range(1e-3, 1e7),
            "A prediction farther off than this is a failure, m."),
      field("tile_width_m", &Self::tile_width_m, at_least(0),
            "Width of a reference on the ground, m, for PDM; 0: PDM is left out."),
      field("gt_sigma_m", &Self::gt_sigma_m, at_least(0),
            "Standard deviation of the true positions, m; 0: not known.")};
};

/// What became of one query. Distances in m; NaN where there is none.
struct QueryOutcome {
  std::int64_t true_reference = -1;  ///< The nearest to the truth of all.
  double true_reference_m = 0;       ///< How far that is.
  std::int64_t rank = 0;  ///< Of true_reference among the references found, from 1; 0: not among them.
  std::int64_t first_right_rank = 0;  ///< First reference found within radius_m; 0: none.
  std::int64_t num_positives = 0;     ///< References within radius_m.
  double top1_m = 0;                  ///< Of the prediction: the position of the first reference found.
  double least_m = 0;                 ///< Of all references found.
  double average_precision = 0;
};

struct LocalizationEvaluation {
  std::vector<MetricValue> metrics;
  std::vector<QueryOutcome> outcomes;  ///< One a query.
  std::vector<std::string> warnings;
};

/// Compares the references found for queries with their true positions. Queries without a true position are
/// counted and take no part. Costs O(n k + n log m) for n queries with k results and m references. Throws
/// Error for an index that is no reference, or a position that is none.
LocalizationEvaluation evaluate_localization(const std::vector<RetrievedQuery>& queries,
                                             const std::vector<LatLon>& references,
                                             const LocalizationMetricsOptions& options = {});

}  // namespace imatch
