// SPDX-License-Identifier: Apache-2.0
#include "sweep/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <unordered_map>

#include "base/error.h"

namespace imatch {
namespace {

/// Names of the axes that the two runs are compared by, sorted.
std::vector<std::string> shared_axes(const Plan& a, const Plan& b) {
  std::vector<std::string> names;
  for (const auto& [plan, other] : {std::pair{&a, &b}, {&b, &a}})
    for (const Axis& axis : plan->axes()) {
      if (other->axis(axis.name) >= 0) {
        if (plan == &a) names.push_back(axis.name);
      } else if (axis.values.size() > 1) {
        throw Error(fmt::format("diff: the axis '{}' has {} values in one run and is not in the other",
                                axis.name, axis.values.size()));
      }
    }
  std::sort(names.begin(), names.end());
  return names;
}

std::string params_text_of(const Plan& plan, const std::vector<std::string>& axes, std::size_t cell) {
  std::string text;
  for (const std::string& name : axes) {
    const auto axis = static_cast<std::size_t>(plan.axis(name));
    (text += plan.value_text(axis, plan.value_index(cell, axis))) += '\n';
  }
  return text;
}

}  // namespace

Comparison compare_runs(const RunFolder& first, const RunFolder& second) {
  const auto axes = shared_axes(first.plan(), second.plan());
  std::unordered_map<std::string, std::size_t> cells;
  for (std::size_t cell = 0; cell < second.plan().size(); ++cell)
    if (second.results().status(cell) != ResultTable::Status::kPending)
      cells.emplace(params_text_of(second.plan(), axes, cell), cell);
  Comparison comparison;
  for (std::size_t cell = 0; cell < first.plan().size(); ++cell) {
    if (first.results().status(cell) == ResultTable::Status::kPending) continue;
    const auto found = cells.find(params_text_of(first.plan(), axes, cell));
    if (found == cells.end())
      ++comparison.num_only_first;
    else
      comparison.pairs.emplace_back(cell, found->second);
  }
  comparison.num_only_second = cells.size() - comparison.pairs.size();
  return comparison;
}

}  // namespace imatch
