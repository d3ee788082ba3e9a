// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "binding.h"
#include "sweep.h"
#include "sweep/comparison.h"

namespace imatch::host {

std::optional<BestOptions> optional_best(lua_State* L, int index) {
  if (is_absent(L, index)) return std::nullopt;
  auto best = options<BestOptions>(L, index, "best");
  if (best.metric.empty()) throw Error("best.metric: missing; expected the name of a metric");
  return best;
}

std::vector<std::string> check_names(lua_State* L, int index, const char* what) {
  const Json list = to_json(L, index, what);
  std::vector<std::string> names;
  for (const Json& name : list) {
    if (!list.is_array() || !name.is_string()) throw Error(fmt::format("{}: expected a list of names", what));
    names.push_back(name.get<std::string>());
  }
  return names;
}

namespace sweep_results_bindings {

int compare(lua_State* L) {
  const auto comparison = compare_runs(arg<RunFolder>(L, 1), arg<RunFolder>(L, 2));
  Json pairs = Json::array();
  for (const auto& [a, b] : comparison.pairs) pairs.push_back({a + 1, b + 1});
  return push(L, Json{{"pairs", pairs},
                      {"num_only_first", comparison.num_only_first},
                      {"num_only_second", comparison.num_only_second}});
}

int best(lua_State* L) {
  const auto& run = arg<RunFolder>(L, 1);
  const auto wanted = optional_best(L, 2);
  if (!wanted) throw Error("best.metric: missing; expected the name of a metric");
  return push(L, select_best(run.plan(), run.results(), *wanted));
}

int group(lua_State* L) {
  const auto& run = arg<RunFolder>(L, 1);
  const auto axes = check_names(L, 3, "group axes");
  Json list = Json::array();
  const std::string metric = check_string(L, 2);
  const auto units = is_absent(L, 4) ? std::vector<std::string>{} : check_names(L, 4, "group units");
  const auto how = options<GroupOptions>(L, 5, "group");
  for (const Group& g : group_by(run.plan(), run.results(), metric, axes)) {
    list.push_back(to_json(g, run.plan(), axes));
    list.back().update(to_json(summarise(run.plan(), run.results(), metric, g, units, how)));
  }
  return push(L, list);
}

int pareto(lua_State* L) {
  const auto& run = arg<RunFolder>(L, 1);
  const Json list = to_json(L, 2, "pareto");
  if (!list.is_array()) throw Error("pareto: expected a list of { metric =, direction = }");
  std::vector<Objective> objectives;
  for (const Json& entry : list) objectives.push_back(parse_options<Objective>(entry, "pareto"));
  const auto over = is_absent(L, 3) ? std::vector<std::string>{} : check_names(L, 3, "over");
  return push(L, pareto_settings(run.plan(), run.results(), objectives, over));
}

int rank(lua_State* L) {
  const auto& run = arg<RunFolder>(L, 1);
  const std::string direction = check_string(L, 3);
  if (direction != "min" && direction != "max") wrong_argument(L, 3, "'min' or 'max'");
  Json list = Json::array();
  for (const std::size_t cell : rank_cells(run.results(), check_string(L, 2), direction == "min"))
    list.push_back(cell + 1);
  return push(L, list);
}

constexpr Binding kResultFunctions[] = {
    bind<compare>("compare", "run.compare(first, second) -> table",
                  "{pairs = {{cell of first, cell of second}, ...}, num_only_first, num_only_second}: the "
                  "finished cells of two runs that have the same parameters.",
                  IMATCH_RUN_EXAMPLE "print(#im.run.compare(run, run).pairs) --> 2"),
};

constexpr Binding kResultMethods[] = {
    bind<best>(
        "best", "Run:best(options) -> table",
        "{title, cell = {cell_key, params, metrics}, setting = {params, num_cells, num_missing, mean, "
        "std, median, min, max, value, low, high, along}, settings}: the best cell, and the best setting "
        "when the axes named in `over` are summed up. value is the statistic asked for (title says it in "
        "words), low and high its bootstrap 95 % interval; settings has the best one of each value of "
        "the axis `compare`, along = {{axis, title, values}, ...} each broken down along an axis.",
        IMATCH_RUN_EXAMPLE "assert(run:best { metric = 'score', direction = 'max' }.cell.params.th == 0.5)",
        describe_options<BestOptions>),
    bind<pareto>(
        "pareto", "Run:pareto(objectives [, over]) -> list",
        "The settings that no other one beats in all of {{metric =, direction =}, ...} at once, in "
        "the mean over the axes `over`: {params, num_cells, num_missing, metrics}. A setting beats "
        "another only if it fails no more often.",
        IMATCH_RUN_EXAMPLE
        "print(#run:pareto { { metric = 'score', direction = 'max' }, { metric = 'time_ms' } } > 0) --> true",
        describe_options<Objective>),
    bind<group>(
        "group", "Run:group(metric, axes [, units [, options]]) -> list",
        "The metric over all cells that agree in the axes: {axis = value, num_cells, num_missing, "
        "mean, std, median, min, max, value, low, high}. std divides by n - 1; num_missing counts failed "
        "cells and values that are not finite. value: the statistic asked for; low and high: its "
        "bootstrap interval, drawn from the values of the axes `units` (places, seeds), or from the "
        "single cells.",
        IMATCH_RUN_EXAMPLE "assert(run:group('score', { 'th' })[1].mean == 0.2)",
        describe_options<GroupOptions>),
    bind<rank>("rank", "Run:rank(metric, direction) -> list",
               "Cells that have the metric, best first; 'min' or 'max'.",
               IMATCH_RUN_EXAMPLE "print(run:rank('score', 'max')[1]) --> 2"),
};

constexpr Type kResultTypes[] = {more_methods<RunFolder>(kResultMethods)};

}  // namespace sweep_results_bindings

extern const Module results_module;
const Module results_module{"run", "", sweep_results_bindings::kResultFunctions,
                            sweep_results_bindings::kResultTypes};

}  // namespace imatch::host
