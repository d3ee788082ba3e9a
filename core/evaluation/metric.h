// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"
#include "evaluation/statistics.h"

namespace imatch {

/// What a metric is: the one place that programs, tables and reports take it from.
struct MetricDefinition {
  std::string name;
  std::string unit;  ///< "", "px", "m", "deg", "ms", ...; shares are in [0, 1] and have none.
  std::string definition;
  std::optional<Better> better;  ///< None: neither is, as for a count.

  /// "corner error" of "corner_error_px": the name in words, without its unit.
  std::string label() const;
};

/// One metric with its value, and where it was asked for the bootstrap 95 % interval of it.
struct MetricValue : MetricDefinition {
  double value = 0;  ///< NaN: there is nothing to take it from.
  Interval interval;
};

/// {name, value, unit, definition, better ("lower", "higher" or null), low, high (where there are such)}.
/// What is not finite is null.
Json to_json(const MetricValue& metric);
Json to_json(std::span<const MetricValue> metrics);
/// The same without a value.
Json to_json(const MetricDefinition& definition);

/// The definition of a metric of one pair or one query by its name (corner_error_px, precision, error_m,
/// mma_3px, ...). Of an unknown name: the unit that it ends in, and lower is better where it speaks of an
/// error, a loss, a time, a distance or a residual, else higher.
MetricDefinition describe_metric(std::string_view name);

/// "AUC@10px of corner error", "share with corner error at most 10 px", "median corner error [px]".
std::string title_of(const Statistic& statistic, const MetricDefinition& metric);

// ---- Metrics of many queries on a map
// ------------------------------------------------------------------------

MetricDefinition hit_rate(double limit_m);
MetricDefinition failure_rate(double limit_m);
MetricDefinition position_error_mean();
MetricDefinition position_error_median();
MetricDefinition position_error_p90();
/// Share of queries with a reference within `radius_m` among the first k.
MetricDefinition retrieval_recall(int k, double radius_m);

/// hit_rate of each limit, over `num_all` queries, of which the errors are those with a prediction and a
/// true position.
std::vector<MetricValue> hit_rates(std::span<const double> errors_m, std::span<const double> limits_m,
                                   std::size_t num_all);
/// failure_rate, likewise.
MetricValue failure_rate(std::span<const double> errors_m, double limit_m, std::size_t num_all);

// ---- Metrics of many image pairs
// -----------------------------------------------------------------------------

struct PairErrorOptions {
  std::vector<double> limits_px{1, 3, 5, 10};
  double level = 0.95;
  int num_resamples = 2000;
  std::int64_t seed = 0;
  static constexpr auto fields = std::tuple{
      field("limits_px", &PairErrorOptions::limits_px, in_range(1e-6, 1e6),
            "Limits of the areas and of the shares, px."),
      field("level", &PairErrorOptions::level, in_range(0.0, 1.0), "Share of the resamples inside."),
      field("num_resamples", &PairErrorOptions::num_resamples, in_range(1, 1'000'000),
            "How often the units are drawn anew."),
      field("seed", &PairErrorOptions::seed, anything(), "Of the draws.")};
};

/// auc@<t>px and share@<t>px of the corner errors of pairs, for each limit, with bootstrap intervals over
/// units (places): `units` says to which each pair belongs. Errors >= 0, infinite for a pair without a model.
/// Throws Error for a negative or NaN error, or another number of units.
std::vector<MetricValue> pair_error_metrics(std::span<const double> errors_px,
                                            std::span<const std::size_t> units,
                                            const PairErrorOptions& options = {});

}  // namespace imatch
