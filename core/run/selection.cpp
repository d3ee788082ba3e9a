// SPDX-License-Identifier: Apache-2.0
#include "run/selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/error.h"
#include "base/spelling.h"

namespace imatch {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// NaN when the cell has no number of that name.
double number(const ResultTable& results, std::size_t cell, const std::string& metric) {
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

void summarise(Group& group) {
  auto& numbers = group.numbers;
  if (numbers.empty()) {
    group.mean = group.std = group.median = group.min = group.max = kNaN;
    return;
  }
  // Sorted first, so that the sums do not depend on the order of the cells.
  std::sort(numbers.begin(), numbers.end());
  const auto n = static_cast<double>(numbers.size());
  double sum = 0, squares = 0;
  for (const double x : numbers) sum += x;
  group.mean = sum / n;
  for (const double x : numbers) squares += (x - group.mean) * (x - group.mean);
  group.std = numbers.size() > 1 ? std::sqrt(squares / (n - 1)) : 0;
  group.median = (numbers[(numbers.size() - 1) / 2] + numbers[numbers.size() / 2]) / 2;
  group.min = numbers.front();
  group.max = numbers.back();
}

/// null for what JSON cannot hold.
Json finite_or_null(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

/// What settings are compared by, smaller is better: the share of missing values, then the statistic.
std::pair<double, double> cost(const Group& group, const BestOptions& options) {
  const bool minimise = options.direction == "min";
  if (options.statistic == "mean") {
    const double share = static_cast<double>(group.num_missing()) / static_cast<double>(group.num_cells);
    return {share, group.numbers.empty() ? kInfinity : minimise ? group.mean : -group.mean};
  }
  // The i-th best of all cells, where the missing ones come last.
  const auto nth_best = [&](std::size_t i) {
    const auto& numbers = group.numbers;
    if (i >= numbers.size()) return kInfinity;
    return minimise ? numbers[i] : -numbers[numbers.size() - 1 - i];
  };
  return {0, (nth_best((group.num_cells - 1) / 2) + nth_best(group.num_cells / 2)) / 2};
}

}  // namespace

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
    const double x = number(results, cell, metric);
    if (std::isfinite(x)) group.numbers.push_back(x);
  }
  for (Group& group : groups) summarise(group);
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
    json[name] = finite_or_null(value);
  return json;
}

Json select_best(const Plan& plan, const ResultTable& results, const BestOptions& options) {
  Json best = options_to_json(options);
  best["cell"] = nullptr;
  best["setting"] = nullptr;
  const auto over = axis_indices(plan, options.over);
  if (results.num_ok() == 0) return best;
  std::vector<std::string> names = results.metrics();
  names.push_back("time_ms");
  if (std::find(names.begin(), names.end(), options.metric) == names.end())
    throw Error(fmt::format("best.metric: no cell has a metric '{}'{}; metrics: {}", options.metric,
                            did_you_mean(options.metric, names), joined(names)));

  const auto ranked = rank_cells(results, options.metric, options.direction == "min");
  if (ranked.empty()) return best;
  const std::size_t cell = ranked.front();
  Json metrics = results.metrics_of(cell);
  for (Json& value : metrics)
    if (value.is_number()) value = finite_or_null(value.get<double>());
  best["cell"] = {{"cell_key", plan.key(cell)}, {"params", plan.params(cell)}, {"metrics", metrics}};

  std::vector<std::string> setting_axes;
  for (std::size_t axis = 0; axis < plan.axes().size(); ++axis)
    if (std::find(over.begin(), over.end(), axis) == over.end())
      setting_axes.push_back(plan.axes()[axis].name);
  const auto groups = group_by(plan, results, options.metric, setting_axes);
  const auto winner = std::min_element(groups.begin(), groups.end(), [&](const Group& a, const Group& b) {
    return cost(a, options) < cost(b, options);
  });
  Json summary = to_json(*winner, plan, setting_axes);
  Json params = Json::object();
  for (const std::string& name : setting_axes) {
    params[name] = summary[name];
    summary.erase(name);
  }
  best["setting"] = {{"params", params}};
  best["setting"].update(summary);
  return best;
}

std::vector<std::size_t> rank_cells(const ResultTable& results, const std::string& metric,
                                    bool smaller_is_better) {
  std::vector<std::pair<double, std::size_t>> ranked;
  for (std::size_t cell = 0; cell < results.size(); ++cell) {
    double x = number(results, cell, metric);
    if (std::isnan(x)) continue;
    if (std::isinf(x))
      x = kInfinity;
    else if (!smaller_is_better)
      x = -x;
    ranked.emplace_back(x, cell);
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::size_t> cells;
  for (const auto& [x, cell] : ranked) cells.push_back(cell);
  return cells;
}

}  // namespace imatch
