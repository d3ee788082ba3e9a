// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.hpp>
#include <optional>
#include <string>
#include <vector>

#include "binding.h"
#include "sweep/run_folder.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<Plan> = "Plan";
template <>
inline constexpr const char* type_name<RunFolder> = "Run";

/// Cells are counted from 1 in Lua.
std::size_t check_cell(lua_State* L, int index, const Plan& plan);
/// Nothing for nil; a metric has to be named.
std::optional<BestOptions> optional_best(lua_State* L, int index);
std::vector<std::string> check_names(lua_State* L, int index, const char* what);

// A run to try the examples with.
#define IMATCH_RUN_EXAMPLE                                                                                  \
  "local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } "                                    \
  "local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true " \
  "}) "                                                                                                     \
  "run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') "

}  // namespace imatch::host
