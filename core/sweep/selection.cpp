// SPDX-License-Identifier: Apache-2.0
#include "sweep/selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <unordered_map>

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

void check_metric(const ResultTable& results, const std::string& metric, const char* what) {
  std::vector<std::string> names = results.metrics();
  names.push_back("time_ms");
  if (std::find(names.begin(), names.end(), metric) == names.end())
    throw Error(fmt::format("{}: no cell has a metric '{}'{}; metrics: {}", what, metric,
                            did_you_mean(metric, names), joined(names)));
}

/// The axes but those in `over`.
std::vector<std::string> axes_without(const Plan& plan, const std::vector<std::string>& over) {
  std::vector<std::string> names;
  for (const Axis& axis : plan.axes())
    if (std::find(over.begin(), over.end(), axis.name) == over.end()) names.push_back(axis.name);
  return names;
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
    if (!std::isfinite(x)) continue;
    group.numbers.push_back(x);
    group.cells.push_back(cell);
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
  axis_indices(plan, options.over);
  axis_indices(plan, options.units);
  if (results.num_ok() == 0) return best;
  check_metric(results, options.metric, "best.metric");

  const auto ranked = rank_cells(results, options.metric, options.direction == "min");
  if (ranked.empty()) return best;
  const std::size_t cell = ranked.front();
  Json metrics = results.metrics_of(cell);
  for (Json& value : metrics)
    if (value.is_number()) value = finite_or_null(value.get<double>());
  best["cell"] = {{"cell_key", plan.key(cell)}, {"params", plan.params(cell)}, {"metrics", metrics}};

  const auto setting_axes = axes_without(plan, options.over);
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
  if (!options.over.empty()) {
    const Interval interval = group_interval(plan, results, options.metric, *winner, options.units);
    best["setting"]["low"] = finite_or_null(interval.low);
    best["setting"]["high"] = finite_or_null(interval.high);
  }
  return best;
}

Interval bootstrap_mean(std::span<const double> values, std::span<const std::size_t> units,
                        const BootstrapOptions& options) {
  if (units.size() != values.size())
    throw Error(fmt::format("bootstrap: {} units for {} values", units.size(), values.size()));
  struct Unit {
    double sum = 0;
    double num_values = 0;
  };
  std::vector<Unit> drawn_from;
  std::unordered_map<std::size_t, std::size_t> places;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto [place, fresh] = places.emplace(units[i], drawn_from.size());
    if (fresh) drawn_from.emplace_back();
    Unit& unit = drawn_from[place->second];
    unit.sum += values[i];
    unit.num_values += 1;
  }
  if (drawn_from.empty()) return {};

  // SplitMix64 (Steele, Lea and Flood, 2014): the same draws on every machine.
  auto state = static_cast<std::uint64_t>(options.seed);
  const auto draw = [&] {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return ((z >> 32) * drawn_from.size()) >> 32;
  };
  std::vector<double> means(static_cast<std::size_t>(options.num_resamples));
  for (double& mean : means) {
    Unit all;
    for (std::size_t i = 0; i < drawn_from.size(); ++i) {
      const Unit& unit = drawn_from[draw()];
      all.sum += unit.sum;
      all.num_values += unit.num_values;
    }
    mean = all.sum / all.num_values;
  }
  std::sort(means.begin(), means.end());
  const auto quantile = [&](double q) {
    const double at = q * static_cast<double>(means.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, means.size() - 1);
    return means[below] + (means[above] - means[below]) * (at - static_cast<double>(below));
  };
  return {quantile((1 - options.level) / 2), quantile((1 + options.level) / 2)};
}

Interval group_interval(const Plan& plan, const ResultTable& results, const std::string& metric,
                        const Group& group, const std::vector<std::string>& units,
                        const BootstrapOptions& options) {
  const auto axes = axis_indices(plan, units);
  std::vector<double> values;
  std::vector<std::size_t> unit_of;
  for (const std::size_t cell : group.cells) {
    values.push_back(number(results, cell, metric));
    std::size_t unit = axes.empty() ? cell : 0;
    for (const std::size_t axis : axes)
      unit = unit * plan.axes()[axis].values.size() + plan.value_index(cell, axis);
    unit_of.push_back(unit);
  }
  return bootstrap_mean(values, unit_of, options);
}

Json pareto_settings(const Plan& plan, const ResultTable& results, const std::vector<Objective>& objectives,
                     const std::vector<std::string>& over) {
  if (objectives.empty()) throw Error("pareto: no metrics; expected at least one");
  axis_indices(plan, over);
  const auto axes = axes_without(plan, over);
  struct Setting {
    std::vector<double> costs;  ///< Of each objective, smaller is better, then the share of missing values.
    std::size_t group;
  };
  std::vector<std::vector<Group>> groups;
  for (const Objective& objective : objectives) {
    check_metric(results, objective.metric, "pareto");
    groups.push_back(group_by(plan, results, objective.metric, axes));
  }
  std::vector<Setting> settings;
  for (std::size_t i = 0; i < groups[0].size(); ++i) {
    Setting setting{{}, i};
    double missing = 0;
    for (std::size_t k = 0; k < objectives.size(); ++k) {
      const Group& group = groups[k][i];
      if (group.numbers.empty()) break;
      setting.costs.push_back(objectives[k].direction == "min" ? group.mean : -group.mean);
      missing =
          std::max(missing, static_cast<double>(group.num_missing()) / static_cast<double>(group.num_cells));
    }
    if (setting.costs.size() < objectives.size()) continue;
    setting.costs.push_back(missing);
    settings.push_back(std::move(setting));
  }
  // Whoever beats a setting stands before it in this order, and so does one that nobody beats.
  std::sort(settings.begin(), settings.end(), [](const Setting& a, const Setting& b) {
    return std::tie(a.costs, a.group) < std::tie(b.costs, b.group);
  });
  std::vector<const Setting*> front;
  for (const Setting& setting : settings) {
    const bool is_beaten = std::any_of(front.begin(), front.end(), [&](const Setting* other) {
      return other->costs != setting.costs &&
             std::equal(other->costs.begin(), other->costs.end(), setting.costs.begin(), std::less_equal<>());
    });
    if (!is_beaten) front.push_back(&setting);
  }
  Json list = Json::array();
  for (const Setting* setting : front) {
    Json summary = to_json(groups[0][setting->group], plan, axes);
    Json params = Json::object(), metrics = Json::object();
    for (const std::string& name : axes) params[name] = summary[name];
    for (std::size_t k = 0; k < objectives.size(); ++k)
      metrics[objectives[k].metric] = groups[k][setting->group].mean;
    std::size_t num_missing = 0;
    for (const auto& of_metric : groups)
      num_missing = std::max(num_missing, of_metric[setting->group].num_missing());
    list.push_back({{"params", params},
                    {"num_cells", summary["num_cells"]},
                    {"num_missing", num_missing},
                    {"metrics", metrics}});
  }
  return list;
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
