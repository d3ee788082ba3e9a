// SPDX-License-Identifier: Apache-2.0
#include "sweep/best.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>

#include "base/error.h"
#include "base/spelling.h"
#include "evaluation/metric.h"

namespace imatch {
namespace {

void check_metric(const ResultTable& results, const std::string& metric, const char* what) {
  std::vector<std::string> names = results.metrics();
  names.insert(names.end(), {"time_ms", "time_spent_ms"});
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

/// A setting broken down along one axis: groups of its cells.
Json along_axis(const Plan& plan, const ResultTable& results, const BestOptions& options,
                const Group& setting, const std::string& axis, const GroupOptions& how) {
  const std::size_t index = axis_indices(plan, {axis}).front();
  Json list = Json::array();
  for (std::uint32_t value = 0; value < plan.axes()[index].values.size(); ++value) {
    std::vector<std::size_t> cells;
    std::copy_if(setting.cells.begin(), setting.cells.end(), std::back_inserter(cells),
                 [&](std::size_t cell) { return plan.value_index(cell, index) == value; });
    if (cells.empty()) continue;
    const Group part = group_of(results, options.metric, std::move(cells));
    Json json{{axis, plan.axes()[index].values[value]},
              {"num_cells", part.num_cells},
              {"num_missing", part.num_missing()}};
    json.update(to_json(summarise(plan, results, options.metric, part, options.units, how)));
    list.push_back(std::move(json));
  }
  return {{"axis", axis},
          {"title", title_of(Statistic::parse(how.statistic), describe_metric(options.metric))},
          {"values", list}};
}

Json setting_json(const Plan& plan, const ResultTable& results, const BestOptions& options,
                  const std::vector<std::string>& axes, const Group& group) {
  Json summary = to_json(group, plan, axes);
  Json params = Json::object();
  for (const std::string& name : axes) {
    params[name] = summary[name];
    summary.erase(name);
  }
  Json setting{{"params", params}};
  setting.update(summary);
  if (options.over.empty()) return setting;
  GroupOptions how;
  how.statistic = options.statistic;
  how.direction = options.direction;
  setting.update(to_json(summarise(plan, results, options.metric, group, options.units, how)));
  for (const std::string& statistic : options.also) {
    how.statistic = statistic;
    Json also{{"statistic", statistic},
              {"title", title_of(Statistic::parse(statistic), describe_metric(options.metric))}};
    also.update(to_json(summarise(plan, results, options.metric, group, options.units, how)));
    setting["also"].push_back(std::move(also));
  }
  how.statistic = options.along_statistic.empty() ? options.statistic : options.along_statistic;
  for (const std::string& axis : options.along)
    setting["along"].push_back(along_axis(plan, results, options, group, axis, how));
  return setting;
}

}  // namespace

Json select_best(const Plan& plan, const ResultTable& results, const BestOptions& options) {
  const Statistic statistic = Statistic::parse(options.statistic);
  const Better better = better_of(options.direction);
  if (!options.along_statistic.empty()) Statistic::parse(options.along_statistic);
  for (const std::string& also : options.also) Statistic::parse(also);
  Json best = options_to_json(options);
  best["title"] = title_of(statistic, describe_metric(options.metric));
  best["cell"] = nullptr;
  best["setting"] = nullptr;
  for (const auto& names : {options.over, options.units, options.along}) axis_indices(plan, names);
  const auto setting_axes = axes_without(plan, options.over);
  const bool compares = !options.compare.empty();
  if (std::find(options.over.begin(), options.over.end(), options.compare) != options.over.end())
    throw Error(fmt::format("best.compare: '{}' is among the axes of best.over; expected one of the others",
                            options.compare));
  const std::size_t compared = compares ? axis_indices(plan, {options.compare}).front() : 0;
  if (results.num_ok() == 0) return best;
  check_metric(results, options.metric, "best.metric");

  const auto ranked = rank_cells(results, options.metric, options.direction == "min");
  if (ranked.empty()) return best;
  const std::size_t cell = ranked.front();
  Json metrics = results.metrics_of(cell);
  for (Json& value : metrics)
    if (value.is_number()) value = finite_json(value.get<double>());
  best["cell"] = {{"cell_key", plan.key(cell)}, {"params", plan.params(cell)}, {"metrics", metrics}};

  const auto groups = group_by(plan, results, options.metric, setting_axes);
  std::map<std::uint32_t, const Group*> winners;  // by the value of `compare`
  const Group* winner = nullptr;
  std::pair<double, double> least;
  std::map<std::uint32_t, std::pair<double, double>> least_of;
  for (const Group& group : groups) {
    const auto its = cost(group, statistic, better);
    if (!winner || its < least) winner = &group, least = its;
    if (!compares) continue;
    const std::uint32_t value = plan.value_index(group.first_cell, compared);
    if (!winners.contains(value) || its < least_of[value]) winners[value] = &group, least_of[value] = its;
  }
  best["setting"] = setting_json(plan, results, options, setting_axes, *winner);
  for (const auto& [value, group] : winners)
    best["settings"].push_back(setting_json(plan, results, options, setting_axes, *group));
  return best;
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
    double x = number_of(results, cell, metric);
    if (std::isnan(x)) continue;
    if (std::isinf(x))
      x = std::numeric_limits<double>::infinity();
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
