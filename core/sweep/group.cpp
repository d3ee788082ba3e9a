// SPDX-License-Identifier: Apache-2.0
#include "sweep/group.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "base/error.h"
#include "base/spelling.h"

namespace imatch {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

void fill_moments(Group& group) {
  auto& numbers = group.numbers;
  // Sorted first, so that the sums do not depend on the order of the cells.
  std::sort(numbers.begin(), numbers.end());
  group.mean = mean_of(numbers);
  group.std = deviation_of(numbers);
  group.median = quantile_of_sorted(numbers, 0.5);
  group.min = numbers.empty() ? kNaN : numbers.front();
  group.max = numbers.empty() ? kNaN : numbers.back();
}

/// What the statistic is taken from: the finite values, and unless it is the mean the missing ones as the
/// worst there are. Ascending.
std::vector<double> counted(const Group& group, const Statistic& statistic, Better better) {
  std::vector<double> values = group.numbers;
  if (statistic.is_mean()) return values;
  const auto at = better == Better::kLower ? values.end() : values.begin();
  values.insert(at, group.num_missing(), better == Better::kLower ? kInfinity : -kInfinity);
  return values;
}

}  // namespace

Better better_of(const std::string& direction) {
  return direction == "min" ? Better::kLower : Better::kHigher;
}

double number_of(const ResultTable& results, std::size_t cell, const std::string& metric) {
  const Scalar entry = results.get(cell, metric);
  const bool has = entry.kind == Scalar::Kind::kNumber || entry.kind == Scalar::Kind::kBoolean;
  return has ? entry.number : kNaN;
}

std::vector<std::size_t> axis_indices(const Plan& plan, const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const Axis& axis : plan.axes()) known.push_back(axis.name);
  std::vector<std::size_t> indices;
  for (const std::string& name : names) {
    const int index = plan.axis(name);
    if (index < 0)
      throw Error(fmt::format("'{}' is no axis of this sweep{}; axes: {}", name, did_you_mean(name, known),
                              joined(known)));
    indices.push_back(static_cast<std::size_t>(index));
  }
  return indices;
}

Group group_of(const ResultTable& results, const std::string& metric, std::vector<std::size_t> cells) {
  Group group;
  for (const std::size_t cell : cells)
    if (const double x = number_of(results, cell, metric); std::isfinite(x)) group.numbers.push_back(x);
  group.num_cells = cells.size();
  group.cells = std::move(cells);
  fill_moments(group);
  return group;
}

std::vector<Group> group_by(const Plan& plan, const ResultTable& results, const std::string& metric,
                            const std::vector<std::string>& axes) {
  const auto indices = axis_indices(plan, axes);
  std::map<std::vector<std::uint32_t>, std::size_t> known;
  std::vector<Group> groups;
  std::vector<std::uint32_t> values(indices.size());
  for (std::size_t cell = 0; cell < plan.size(); ++cell) {
    if (results.status(cell) == ResultTable::Status::kPending) continue;
    for (std::size_t i = 0; i < indices.size(); ++i) values[i] = plan.value_index(cell, indices[i]);
    const auto [place, fresh] = known.emplace(values, groups.size());
    if (fresh) {
      groups.emplace_back().values = values;
      groups.back().first_cell = cell;
    }
    Group& group = groups[place->second];
    ++group.num_cells;
    group.cells.push_back(cell);
    const double x = number_of(results, cell, metric);
    if (std::isfinite(x)) group.numbers.push_back(x);
  }
  for (Group& group : groups) fill_moments(group);
  return groups;
}

Json to_json(const Group& group, const Plan& plan, const std::vector<std::string>& axes) {
  Json json = Json::object();
  const auto indices = axis_indices(plan, axes);
  for (std::size_t i = 0; i < axes.size(); ++i)
    json[axes[i]] = plan.axes()[indices[i]].values[group.values[i]];
  json["num_cells"] = group.num_cells;
  json["num_missing"] = group.num_missing();
  for (const auto& [name, value] : {std::pair{"mean", group.mean},
                                    {"std", group.std},
                                    {"median", group.median},
                                    {"min", group.min},
                                    {"max", group.max}})
    json[name] = finite_json(value);
  return json;
}

Json to_json(const Summary& summary) {
  Json json = to_json(static_cast<const Estimate&>(summary));
  json["num_units"] = summary.num_units;
  return json;
}

Summary summarise(const Plan& plan, const ResultTable& results, const std::string& metric, const Group& group,
                  const std::vector<std::string>& units, const GroupOptions& options) {
  const Statistic statistic = Statistic::parse(options.statistic);
  const Better better = better_of(options.direction);
  const auto axes = axis_indices(plan, units);
  std::vector<double> values;
  std::vector<std::size_t> unit_of;
  for (const std::size_t cell : group.cells) {
    const double x = number_of(results, cell, metric);
    if (!std::isfinite(x) && statistic.is_mean()) continue;
    values.push_back(std::isfinite(x) ? x : better == Better::kLower ? kInfinity : -kInfinity);
    std::size_t unit = axes.empty() ? cell : 0;
    for (const std::size_t axis : axes)
      unit = unit * plan.axes()[axis].values.size() + plan.value_index(cell, axis);
    unit_of.push_back(unit);
  }
  return {{statistic.of_sorted(counted(group, statistic, better), better),
           bootstrap(values, unit_of, statistic, better, options)},
          std::set(unit_of.begin(), unit_of.end()).size()};
}

std::pair<double, double> cost(const Group& group, const Statistic& statistic, Better better) {
  const double missing = static_cast<double>(group.num_missing()) / static_cast<double>(group.num_cells);
  const double value = statistic.of_sorted(counted(group, statistic, better), better);
  const double signed_value = statistic.better(better) == Better::kLower ? value : -value;
  return {statistic.is_mean() ? missing : 0, std::isnan(value) ? kInfinity : signed_value};
}

}  // namespace imatch
