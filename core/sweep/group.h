// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "evaluation/statistics.h"
#include "sweep/results.h"

namespace imatch {

inline constexpr std::string_view kDirections[] = {"min", "max"};
/// Which of two values of a metric is better, by its direction.
Better better_of(const std::string& direction);

/// The value of a cell; NaN when it has no number of that name. Booleans count as 0 and 1.
double number_of(const ResultTable& results, std::size_t cell, const std::string& metric);

/// Places of those axes among the plan's. Throws Error for a name that is none.
std::vector<std::size_t> axis_indices(const Plan& plan, const std::vector<std::string>& names);

/// How groups of cells are summed up.
struct GroupOptions : BootstrapOptions {
  std::string statistic = "mean";
  std::string direction = "min";

  static constexpr auto fields = std::tuple_cat(
      BootstrapOptions::fields,
      std::tuple{field("statistic", &GroupOptions::statistic, anything(),
                       "'mean', 'median', 'quantile@0.9', 'auc@10' or 'share@10': see Run:best."),
                 field("direction", &GroupOptions::direction, one_of(kDirections),
                       "Whether small or large values of the metric are good.")});
};

/// A metric over the cells that agree in some axes.
struct Group {
  std::vector<std::uint32_t> values;  ///< Value index of each axis grouped by.
  std::size_t first_cell = 0;         ///< In the order of the plan.
  std::size_t num_cells = 0;          ///< Finished cells of the group, failed ones included.
  std::vector<double> numbers;        ///< The finite values, ascending.
  std::vector<std::size_t> cells;     ///< All of them, in the order of the plan.
  double mean = 0, std = 0, median = 0, min = 0,
         max = 0;  ///< Of `numbers`; NaN when empty. std divides by n - 1.

  /// Cells without a finite value: failed, metric absent, NaN or infinite.
  std::size_t num_missing() const { return num_cells - numbers.size(); }
};

/// The group of those cells. `values` stay empty.
Group group_of(const ResultTable& results, const std::string& metric, std::vector<std::size_t> cells);

/// Groups in the order of their first cell. Booleans count as 0 and 1. Throws Error for an unknown axis.
std::vector<Group> group_by(const Plan& plan, const ResultTable& results, const std::string& metric,
                            const std::vector<std::string>& axes);
/// {axis: value ..., num_cells, num_missing, mean, std, median, min, max}.
Json to_json(const Group& group, const Plan& plan, const std::vector<std::string>& axes);

/// A statistic of a group, and of how many units its interval was drawn. Of a few units it says little.
struct Summary : Estimate {
  std::size_t num_units = 0;
};

/// {value, low, high, num_units}.
Json to_json(const Summary& summary);

/// The statistic of the group's metric; cells without a finite value count as the worst there are, in the
/// mean not at all. A unit of the bootstrap is what agrees in the axes `units`; none: each cell. Throws Error
/// for an unknown axis or a statistic that does not suit the direction.
Summary summarise(const Plan& plan, const ResultTable& results, const std::string& metric, const Group& group,
                  const std::vector<std::string>& units, const GroupOptions& options = {});

/// What settings are compared by, smaller is better: the share of missing values, where the statistic leaves
/// them out, then the statistic.
std::pair<double, double> cost(const Group& group, const Statistic& statistic, Better better);

}  // namespace imatch
