// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <span>
#include <string>
#include <vector>

#include "sweep/results.h"

namespace imatch {

inline constexpr std::string_view kDirections[] = {"min", "max"};
inline constexpr std::string_view kStatistics[] = {"mean", "median"};

/// How a mean is told from noise.
struct BootstrapOptions {
  double level = 0.95;
  int num_resamples = 2000;
  std::int64_t seed = 0;

  static constexpr auto fields = std::tuple{
      field("level", &BootstrapOptions::level, in_range(0.0, 1.0), "Share of the resamples inside."),
      field("num_resamples", &BootstrapOptions::num_resamples, in_range(1, 1'000'000),
            "How often the units are drawn anew."),
      field("seed", &BootstrapOptions::seed, anything(), "Of the draws.")};
};

struct Interval {
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

/// Percentile bootstrap of the mean (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter
/// 13): units are drawn with replacement, as many as there are, each with all its values, since values of one
/// unit (the headings at one place) do not vary independently. `units` says to which unit each value belongs.
/// NaN without values; quantiles are interpolated linearly.
Interval bootstrap_mean(std::span<const double> values, std::span<const std::size_t> units,
                        const BootstrapOptions& options);

/// What "best" means in a sweep.
struct BestOptions {
  std::string metric;              ///< Name of the metric that decides.
  std::string direction = "min";   ///< 'min' or 'max'.
  std::string statistic = "mean";  ///< How the cells of one setting are summed up: 'mean' or 'median'.
  std::vector<std::string> over;   ///< Axes to sum up over (places, seeds): not part of the setting.
  std::vector<std::string> units;  ///< Those of `over` whose values are independent of each other.

  static constexpr auto fields = std::tuple{
      field("metric", &BestOptions::metric, anything(), "Metric that decides."),
      field("direction", &BestOptions::direction, one_of(kDirections), "Whether small or large is good."),
      field(
          "statistic", &BestOptions::statistic, one_of(kStatistics),
          "How the cells of one setting are summed up; the median bears failures (infinite errors) better."),
      field("over", &BestOptions::over, anything(),
            "Axes to sum up over, such as places or seeds; the others make the setting. None: one cell a "
            "setting."),
      field("units", &BestOptions::units, anything(),
            "Those of `over` that the 95 % interval draws from, such as places or seeds: what does not vary "
            "independently at one place counts as one. None: every combination of `over` counts.")};
};

/// A metric over the cells that agree in some axes.
struct Group {
  std::vector<std::uint32_t> values;  ///< Value index of each axis grouped by.
  std::size_t first_cell = 0;         ///< In the order of the plan.
  std::size_t num_cells = 0;          ///< Finished cells of the group, failed ones included.
  std::vector<double> numbers;        ///< The finite values, ascending.
  std::vector<std::size_t> cells;     ///< Those that have them, in the order of the plan.
  double mean = 0, std = 0, median = 0, min = 0,
         max = 0;  ///< Of `numbers`; NaN when empty. std divides by n - 1.

  /// Cells without a finite value: failed, metric absent, NaN or infinite.
  std::size_t num_missing() const { return num_cells - numbers.size(); }
};

/// Groups in the order of their first cell. Booleans count as 0 and 1. Throws Error for an unknown axis.
std::vector<Group> group_by(const Plan& plan, const ResultTable& results, const std::string& metric,
                            const std::vector<std::string>& axes);
/// {axis: value ..., num_cells, num_missing, mean, std, median, min, max}.
Json to_json(const Group& group, const Plan& plan, const std::vector<std::string>& axes);

/// Bootstrap interval of the group's mean. A unit is what agrees in the axes `units`; none: each cell.
Interval group_interval(const Plan& plan, const ResultTable& results, const std::string& metric,
                        const Group& group, const std::vector<std::string>& units,
                        const BootstrapOptions& options = {});

/// One of several metrics that are to be good at once.
struct Objective {
  std::string metric;
  std::string direction = "min";

  static constexpr auto fields = std::tuple{
      field("metric", &Objective::metric, anything(), "Metric."),
      field("direction", &Objective::direction, one_of(kDirections), "Whether small or large is good.")};
};

/// The settings (the axes but those in `over`) that no other setting beats: none is at least as good in the
/// mean of every metric and in the share of cells without a value, and better in one. [{params, num_cells,
/// num_missing, metrics = {name: mean}}], best in the first metric first. Settings without a finite value of
/// some metric are left out. Throws Error for an unknown axis or metric.
Json pareto_settings(const Plan& plan, const ResultTable& results, const std::vector<Objective>& objectives,
                     const std::vector<std::string>& over);

/// {metric, direction, statistic, over, cell = {cell_key, params, metrics}, setting = {params, num_cells,
/// mean, ...}}. `cell` is the best single cell, `setting` the best group over `over`. Settings that fail do
/// not win by their few good cells: by 'mean' the one with the smaller share of missing values is better,
/// whatever the mean; by 'median' a missing value counts as the worst there is. Of equals the first in the
/// plan wins. Both are null when no cell has the metric. Throws Error for an axis that the plan lacks, or a
/// metric that no finished cell has.
Json select_best(const Plan& plan, const ResultTable& results, const BestOptions& options);

/// The cells that have the metric, best first. Infinite values stand last, NaN is left out.
std::vector<std::size_t> rank_cells(const ResultTable& results, const std::string& metric,
                                    bool smaller_is_better);

}  // namespace imatch
