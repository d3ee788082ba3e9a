// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/error.h"
#include "base/progress.h"
#include "binding.h"
#include "sweep.h"
#include "sweep/canonical.h"

namespace imatch::host {

std::size_t check_cell(lua_State* L, int index, const Plan& plan) {
  return static_cast<std::size_t>(check_integer(L, index, 1, static_cast<std::int64_t>(plan.size()))) - 1;
}

namespace sweep_plan_bindings {

std::vector<Axis> check_axes(lua_State* L, int index) {
  std::vector<Axis> axes;
  for (const Json& entry : to_json(L, index, "axes")) {
    Axis axis{entry.at("name").get<std::string>(), {}};
    const Json& values = entry.at("values");
    if (!values.is_array() && !values.empty())
      throw Error(fmt::format("axes.{}: expected a list of values", axis.name));
    for (const Json& value : values) axis.values.push_back(value);
    axes.push_back(std::move(axis));
  }
  return axes;
}

PointList check_points(lua_State* L, int index) {
  const Json json = to_json(L, index, "points");
  PointList points;
  for (const Json& name : json.at("names")) points.names.push_back(name.get<std::string>());
  for (const Json& row : json.at("rows")) {
    auto& values = points.rows.emplace_back();
    for (const std::string& name : points.names)
      values.push_back(row.contains(name) ? row.at(name) : Json(nullptr));
  }
  return points;
}

struct PlanOptions {
  std::int64_t sample = 0;
  std::int64_t seed = 0;

  static constexpr auto fields =
      std::tuple{field("sample", &PlanOptions::sample, at_least(0),
                       "Random search: this many cells, drawn from all of them. 0: every cell."),
                 field("seed", &PlanOptions::seed, anything(), "Of the draw.")};
};

int make_plan(lua_State* L) {
  const PlanOptions more = options<PlanOptions>(L, 5, "plan");
  auto plan = std::make_shared<Plan>(is_absent(L, 4) ? PointList{} : check_points(L, 4), check_axes(L, 1));
  if (!is_absent(L, 2)) {
    check_function(L, 2);
    std::vector<bool> wanted(plan->size());
    Progress progress("plan: where", "cells", plan->size());
    for (std::size_t cell = 0; cell < plan->size(); ++cell, progress.advance()) {
      lua_pushvalue(L, 2);
      push_json(L, plan->params(cell));
      lua_call(L, 1, 1);
      wanted[cell] = lua_toboolean(L, -1) != 0;
      lua_pop(L, 1);
    }
    plan->keep(wanted);
  }
  if (more.sample > 0) plan->sample(static_cast<std::size_t>(more.sample), more.seed);
  if (!is_absent(L, 3)) {
    check_function(L, 3);
    Progress progress("plan: inputs", "cells", plan->size());
    for (std::size_t cell = 0; cell < plan->size(); ++cell, progress.advance()) {
      lua_pushvalue(L, 3);
      push_json(L, plan->params(cell));
      lua_call(L, 1, 1);
      plan->set_inputs(cell, content_key(canonical_json(to_json(L, -1, "inputs of a cell"))));
      lua_pop(L, 1);
    }
  }
  return push(L, std::move(plan));
}

int plan_size(lua_State* L) {
  return push(L, arg<Plan>(L, 1).size());
}

int plan_params(lua_State* L) {
  const auto& plan = arg<Plan>(L, 1);
  return push(L, plan.params(check_cell(L, 2, plan)));
}

int plan_key(lua_State* L) {
  const auto& plan = arg<Plan>(L, 1);
  return push(L, plan.key(check_cell(L, 2, plan)));
}

int plan_seed(lua_State* L) {
  const auto& plan = arg<Plan>(L, 1);
  return push(L, cell_seed(check_integer(L, 3, -(std::int64_t{1} << 53), std::int64_t{1} << 53),
                           plan.key(check_cell(L, 2, plan))));
}

int plan_to_string(lua_State* L) {
  const auto& plan = arg<Plan>(L, 1);
  return push(L, fmt::format("Plan({} axes, {} cells)", plan.axes().size(), plan.size()));
}

constexpr Binding kPlanFunctions[] = {
    bind<make_plan>("plan", "run.plan(axes [, where [, inputs [, points [, options]]]]) -> Plan",
                    "The cells of a sweep: every combination of the axes, a list of {name =, values = "
                    "{...}}, the last one fastest; with points, {names = {...}, rows = {{name = value}, "
                    "...}}, every one of them with every combination. What is equal counts once. "
                    "where(params) says which cells stay; inputs(params) returns plain data (hashes of the "
                    "files a cell reads) that becomes part of the cell's key.",
                    "print(#im.run.plan { { name = 'th', values = { 0.1, 0.5 } }, { name = 'place', values = "
                    "{ 1, 2, 3 } } }) --> 6",
                    describe_options<PlanOptions>),
};

constexpr Binding kPlanMethods[] = {
    bind<plan_params>("params", "Plan:params(cell) -> table",
                      "Parameters of a cell, a new table each time; cells count from 1.",
                      "print(im.run.plan { { name = 'th', values = { 0.1 } } }:params(1).th) --> 0.1"),
    bind<plan_key>(
        "key", "Plan:key(cell) -> string", "Key of a cell: the hash of its parameters (and inputs).",
        "print(im.run.plan { { name = 'th', values = { 0.1 } } }:key(1)) --> 288a0cd0496cb6b336671a05"),
    bind<plan_seed>("seed", "Plan:seed(cell, sweep_seed) -> integer",
                    "Random seed of a cell in [0, 2^52), made of the sweep's seed and the cell's key.",
                    "print(im.run.plan { { name = 'th', values = { 0.1 } } }:seed(1, 0) < 2 ^ 53) --> true"),
};

constexpr Type kPlanTypes[] = {
    describe_type<Plan, plan_to_string, plan_size>("The cells of a sweep, in order.", kPlanMethods),
};

}  // namespace sweep_plan_bindings

extern const Module plan_module;
const Module plan_module{
    "run", "What sweeps are made of: plans, run folders, keys. Most scripts only need im.sweep.",
    sweep_plan_bindings::kPlanFunctions, sweep_plan_bindings::kPlanTypes};

}  // namespace imatch::host
