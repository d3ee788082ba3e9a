// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "sweep/group.h"

namespace imatch {

/// What "best" means in a sweep.
struct BestOptions {
  std::string metric;             ///< Name of the metric that decides.
  std::string direction = "min";  ///< 'min' or 'max'.
  std::string statistic =
      "mean";                     ///< As Statistic::parse takes it: how the cells of a setting are summed up.
  std::vector<std::string> over;  ///< Axes to sum up over (places, seeds): not part of the setting.
  std::vector<std::string> units;      ///< Those of `over` whose values are independent of each other.
  std::string compare;                 ///< An axis: the best setting of each of its values is told too.
  std::vector<std::string> along;      ///< Those of `over` along which the best settings are broken down.
  std::string along_statistic = {};    ///< The statistic there; empty: `statistic`.
  std::vector<std::string> also = {};  ///< More statistics that are told of the best settings.

  static constexpr auto fields = std::tuple{
      field("metric", &BestOptions::metric, anything(), "Metric that decides."),
      field("direction", &BestOptions::direction, one_of(kDirections),
            "Whether small or large values of the metric are good."),
      field(
          "statistic", &BestOptions::statistic, anything(),
          "How the cells of one setting become one number: 'mean', 'median', 'quantile@0.9', 'auc@10' (area "
          "under the share of cells by error, up to 10), 'share@10' (of cells with at most 10; at least 10 "
          "where large is good). All but the mean count cells without a value as the worst there are."),
      field("over", &BestOptions::over, anything(),
            "Axes to sum up over, such as places or seeds; the others make the setting. None: one cell a "
            "setting."),
      field("units", &BestOptions::units, anything(),
            "Those of `over` that the 95 % interval draws from, such as places or seeds: what does not vary "
            "independently at one place counts as one. None: every combination of `over` counts."),
      field("compare", &BestOptions::compare, anything(),
            "An axis of the setting, such as the backbone: the best setting of each of its values is given "
            "too."),
      field("along", &BestOptions::along, anything(),
            "Those of `over`, such as the altitude, along which the best settings are broken down."),
      field("along_statistic", &BestOptions::along_statistic, anything(),
            "The statistic there, such as 'share@10'. Empty: `statistic`."),
      field("also", &BestOptions::also, anything(),
            "More statistics that are told of the best settings, such as 'auc@3' and 'share@10'.")};
};

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

/// The options, title (the statistic in words), cell = {cell_key, params, metrics}, setting = {params,
/// num_cells, num_missing, mean, std, median, min, max, value, low, high, along}, settings = [setting, ...]
/// of the values of `compare`. `cell` is the best single cell, `setting` the best group over `over`; value is
/// the statistic asked for, low and high its bootstrap interval, drawn from num_units units, also =
/// [{statistic, title, value, low, high, num_units}] of the statistics in `also`, along = [{axis, title,
/// values = [{axis value, num_cells, num_missing, value, low, high}]}] with `along_statistic`. Settings that
/// fail do not win by their few good cells: by 'mean' the one with the smaller share of missing values is
/// better, whatever the mean; by other statistics a missing value counts as the worst there is. Of equals the
/// first in the plan wins. Both are null when no cell has the metric. Throws Error for an axis that the plan
/// lacks, or a metric that no finished cell has.
Json select_best(const Plan& plan, const ResultTable& results, const BestOptions& options);

/// The cells that have the metric, best first. Infinite values stand last, NaN is left out.
std::vector<std::size_t> rank_cells(const ResultTable& results, const std::string& metric,
                                    bool smaller_is_better);

}  // namespace imatch
