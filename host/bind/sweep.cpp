// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "backbone/backbone.h"
#include "base/device.h"
#include "base/error.h"
#include "base/file.h"
#include "base/resources.h"
#include "base/spelling.h"
#include "base/stop.h"
#include "base/threads.h"
#include "base/version.h"
#include "binding.h"
#include "feature/cache.h"
#include "report/report.h"
#include "settings.h"
#include "state.h"
#include "sweep/canonical.h"
#include "sweep/input_hash.h"
#include "sweep/progress.h"
#include "sweep/run_folder.h"
#include "version_text.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<Plan> = "Plan";
template <>
inline constexpr const char* type_name<RunFolder> = "Run";
template <>
inline constexpr const char* type_name<Progress> = "Progress";

namespace sweep_bindings {

// ---- Arguments
// -------------------------------------------------------------------------------------------------------

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

/// Cells are counted from 1 in Lua.
std::size_t check_cell(lua_State* L, int index, const Plan& plan) {
  return static_cast<std::size_t>(check_integer(L, index, 1, static_cast<std::int64_t>(plan.size()))) - 1;
}

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

// ---- run.*
// -----------------------------------------------------------------------------------------------------------

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
    for (std::size_t cell = 0; cell < plan->size(); ++cell) {
      if (cell % 256 == 0) check_stop();
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
    for (std::size_t cell = 0; cell < plan->size(); ++cell) {
      if (cell % 256 == 0) check_stop();
      lua_pushvalue(L, 3);
      push_json(L, plan->params(cell));
      lua_call(L, 1, 1);
      plan->set_inputs(cell, content_key(canonical_json(to_json(L, -1, "inputs of a cell"))));
      lua_pop(L, 1);
    }
  }
  return push(L, std::move(plan));
}

constexpr int kFolderDigits = 16;

int open_run(lua_State* L) {
  const std::string out = check_string(L, 1);
  const std::string name = check_string(L, 2);
  auto plan = shared_arg<Plan>(L, 3);
  Json identity = to_json(L, 4, "identity");
  if (name.empty() || name != file_name_from(name) || name[0] == '.')
    throw Error(fmt::format(
        "sweep: name '{}'; expected letters, digits, '-', '_' and '.', it becomes a folder", name));
  identity["name"] = name;
  identity["program"] = program_version();
  const std::string hash = content_key(canonical_json(identity)).substr(0, kFolderDigits);
  return push(L, std::make_shared<RunFolder>(fmt::format("{}/{}/{}", out, name, hash), std::move(plan),
                                             identity, options<RunOptions>(L, 5, "sweep")));
}

int read_run(lua_State* L) {
  return push(L, RunFolder::read(check_string(L, 1)));
}

int workers(lua_State* L) {
  return push(L, list_workers(check_string(L, 1)));
}

Json interval_json(const Interval& interval) {
  const auto finite = [](double x) { return std::isfinite(x) ? Json(x) : Json(nullptr); };
  return {{"low", finite(interval.low)}, {"high", finite(interval.high)}};
}

int compare(lua_State* L) {
  const auto comparison = compare_runs(arg<RunFolder>(L, 1), arg<RunFolder>(L, 2));
  Json pairs = Json::array();
  for (const auto& [a, b] : comparison.pairs) pairs.push_back({a + 1, b + 1});
  return push(L, Json{{"pairs", pairs},
                      {"num_only_first", comparison.num_only_first},
                      {"num_only_second", comparison.num_only_second}});
}

int key(lua_State* L) {
  return push(L, content_key(canonical_json(to_json(L, 1))));
}

int is_file(lua_State* L) {
  std::error_code ignored;
  return push(L, std::filesystem::is_regular_file(check_string(L, 1), ignored));
}

int nearest_name(lua_State* L) {
  return push(L, did_you_mean(check_string(L, 1), check_names(L, 2, "names")));
}

int hash_path(lua_State* L) {
  return push(L, hash_of_path(check_string(L, 1)));
}

int is_path(lua_State* L) {
  std::error_code ignored;
  return push(L, std::filesystem::exists(check_string(L, 1), ignored));
}

int print_duration(lua_State* L) {
  return push(L, duration_text(check_number(L, 1)));
}

// ---- Progress
// --------------------------------------------------------------------------------------------------------

int start_progress(lua_State* L) {
  return push(L, std::make_shared<Progress>(check_string(L, 1), Progress::style_for(settings().quiet),
                                            is_absent(L, 2) ? "cells" : check_string(L, 2)));
}

ProgressCounts counts_at(lua_State* L, int index) {
  const auto count = [&](int at) {
    return is_absent(L, at) ? 0 : static_cast<std::size_t>(check_integer(L, at, 0, std::int64_t{1} << 53));
  };
  return {.total = count(index),
          .cached = count(index + 2),
          .done = count(index + 1),
          .failed = count(index + 3)};
}

int update_progress(lua_State* L) {
  mutable_arg<Progress>(L, 1).update(counts_at(L, 2));
  return 0;
}
int finish_progress(lua_State* L) {
  mutable_arg<Progress>(L, 1).finish(counts_at(L, 2));
  return 0;
}
int progress_to_string(lua_State* L) {
  return push(L, "Progress");
}

// ---- Plan
// ------------------------------------------------------------------------------------------------------------

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

// ---- Run
// -------------------------------------------------------------------------------------------------------------

/// Leaves "message" and "message + traceback" for the caller: both are kept in the record of a failed cell.
int message_handler(lua_State* L) {
  const std::string message = text_of(L, 1);
  lua_createtable(L, 2, 0);
  lua_pushlstring(L, message.data(), message.size());
  lua_rawseti(L, -2, 1);
  luaL_traceback(L, L, message.c_str(), 1);
  lua_rawseti(L, -2, 2);
  return 1;
}

std::string text_at(lua_State* L, int table, int index) {
  lua_rawgeti(L, table, index);
  std::string text = text_of(L, -1);
  lua_pop(L, 1);
  return text;
}

/// What `measure(cell)` (the function at `function`) makes of a cell: a table of metrics, or an error.
Measurement measure_cell(lua_State* L, int function, int handler, const Plan& plan, std::size_t cell) {
  const int top = lua_gettop(L);
  lua_pushvalue(L, function);
  lua_pushinteger(L, static_cast<lua_Integer>(cell + 1));
  const int status = lua_pcall(L, 1, 2, handler);
  check_stop();
  Measurement measured;
  measured.ok = false;
  try {
    if (status != 0) {
      const bool described = lua_istable(L, top + 1);
      measured.error = described ? text_at(L, top + 1, 1) : text_of(L, top + 1);
      measured.traceback = described ? text_at(L, top + 1, 2) : measured.error;
    } else if (lua_istable(L, top + 1)) {
      measured.metrics = to_json(L, top + 1, "metrics");
      if (measured.metrics.is_array() && !measured.metrics.empty())
        throw Error("measure returned a list; expected a table of metrics by name");
      if (measured.metrics.is_array()) measured.metrics = Json::object();
      check_metric_names(measured.metrics, plan);
      measured.ok = true;
    } else if (lua_isnil(L, top + 1) && !lua_isnil(L, top + 2)) {
      measured.error = measured.traceback = text_of(L, top + 2);  // nil, message: an expected failure
    } else {
      throw Error(fmt::format("measure returned {}; expected a table of metrics", text_of(L, top + 1)));
    }
  } catch (const Error& error) {
    measured.error = measured.traceback = error.what();
  }
  lua_settop(L, top);
  return measured;
}

int describe(lua_State* L) {
  auto& run = mutable_arg<RunFolder>(L, 1);
  Json facts = to_json(L, 3, "facts");
  facts["program"] = program_version();
  facts["device"] = resolve_device("auto").str();
  facts["threads"] = num_threads();
  facts["versions"] = component_versions();
  facts["threads"] = num_threads();
  run.describe(is_absent(L, 2) ? "" : check_string(L, 2), std::move(facts), [] {
    Json weights = Json::object();
    for (const auto& backbone : opened_backbones()) weights[backbone->spec()] = backbone->weights_sha256();
    const CacheStatistics cache = feature_cache().statistics();
    return Json{{"weights_sha256", weights},
                {"feature_cache",
                 {{"hits", cache.memory_hits + cache.disk_hits},
                  {"misses", cache.misses},
                  {"saved_s", cache.saved_ms / 1000}}}};
  });
  return 0;
}

int measure(lua_State* L) {
  auto& run = mutable_arg<RunFolder>(L, 1);
  check_function(L, 2);
  const std::int64_t seed = check_integer(L, 3, -(std::int64_t{1} << 53), std::int64_t{1} << 53);
  const auto best = optional_best(L, 4);
  const std::string name = check_string(L, 5);
  lua_settop(L, 5);
  lua_pushcfunction(L, message_handler);
  run.run([&](std::size_t cell) { return measure_cell(L, 2, 6, run.plan(), cell); }, best, seed, name);
  return push(L, true);
}

Json counts_of(const RunFolder& run) {
  const ResultTable& results = run.results();
  double measured_s = 0;
  for (std::size_t cell = 0; cell < results.size(); ++cell) measured_s += results.wall_ms(cell) / 1000;
  return {{"measured_s", measured_s},       {"cached_s", run.cached_s()},
          {"ok", results.num_ok()},         {"total", results.size()},
          {"run", run.num_run()},           {"cached", run.num_cached()},
          {"failed", results.num_failed()}, {"pending", results.num_pending()},
          {"damaged", run.damaged()}};
}

int counts(lua_State* L) {
  return push(L, counts_of(arg<RunFolder>(L, 1)));
}
int path(lua_State* L) {
  return push(L, arg<RunFolder>(L, 1).path());
}

int row(lua_State* L) {
  const auto& run = arg<RunFolder>(L, 1);
  return push(L, result_row(run.plan(), run.results(), check_cell(L, 2, run.plan())));
}

int rows(lua_State* L) {
  const auto& run = arg<RunFolder>(L, 1);
  lua_createtable(L, static_cast<int>(run.plan().size()), 0);
  for (std::size_t cell = 0; cell < run.plan().size(); ++cell) {
    if (cell % 256 == 0) check_stop();
    push_json(L, result_row(run.plan(), run.results(), cell));
    lua_rawseti(L, -2, static_cast<int>(cell + 1));
  }
  return 1;
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
    const GroupSummary summary = summarise(run.plan(), run.results(), metric, g, units, how);
    list.push_back(to_json(g, run.plan(), axes));
    list.back()["value"] = std::isfinite(summary.value) ? Json(summary.value) : Json(nullptr);
    list.back().update(interval_json(summary.interval));
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

int record(lua_State* L) {
  const auto& run = arg<RunFolder>(L, 1);
  const CellRecord r = run.record(check_cell(L, 2, run.plan()));
  return push(L, Json{{"cell_key", r.key},
                      {"params", r.params},
                      {"status", r.ok ? "ok" : "failed"},
                      {"metrics", r.metrics},
                      {"time_ms", r.time_ms},
                      {"seed", r.seed},
                      {"error", r.error},
                      {"traceback", r.traceback},
                      {"log", r.log},
                      {"worker", r.worker},
                      {"started", r.started}});
}

int run_axes(lua_State* L) {
  return push(L, arg<RunFolder>(L, 1).plan().axes_json());
}

int run_params(lua_State* L) {
  const auto& run = arg<RunFolder>(L, 1);
  return push(L, run.plan().params(check_cell(L, 2, run.plan())));
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

/// Page, style and scripts of lua/imatch/report/.
ReportParts page_parts(const char* page, std::initializer_list<const char*> scripts) {
  ReportParts parts;
  const std::string folder = resource_folder("lua") + "/imatch/report/";
  parts.page = read_file(fmt::format("{}{}.html", folder, page));
  parts.style = read_file(folder + "report.css");
  for (const char* library : {"vega", "vega-lite", "vega-embed"})
    parts.scripts.push_back(read_file(fmt::format("{}/{}.min.js", resource_folder("js"), library)));
  for (const char* script : scripts)
    parts.scripts.push_back(read_file(fmt::format("{}{}.js", folder, script)));
  return parts;
}

int report(lua_State* L) {
  const auto& run = arg<RunFolder>(L, 1);
  ReportParts parts = page_parts("report", {"data", "statistics", "charts", "table", "page", "report"});
  parts.title = check_string(L, 3);
  parts.options = is_absent(L, 4) ? Json::object() : to_json(L, 4, "report");
  return push(L, write_report(run, optional_best(L, 2), parts));
}

int report_difference(lua_State* L) {
  ReportParts parts =
      page_parts("difference", {"data", "statistics", "charts", "table", "page", "difference"});
  parts.title = check_string(L, 3);
  write_comparison(arg<RunFolder>(L, 1), arg<RunFolder>(L, 2), parts, check_string(L, 4));
  return push(L, true);
}

int run_to_string(lua_State* L) {
  const auto& run = arg<RunFolder>(L, 1);
  return push(L, fmt::format("Run({}, {} of {} cells)", run.path(),
                             run.results().size() - run.results().num_pending(), run.results().size()));
}

// ---- Documentation
// ---------------------------------------------------------------------------------------------------

#define IMATCH_RUN_EXAMPLE                                                                                  \
  "local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } "                                    \
  "local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true " \
  "}) "                                                                                                     \
  "run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') "

constexpr Binding kFunctions[] = {
    bind<make_plan>("plan", "run.plan(axes [, where [, inputs [, points [, options]]]]) -> Plan",
                    "The cells of a sweep: every combination of the axes, a list of {name =, values = "
                    "{...}}, the last one fastest; with points, {names = {...}, rows = {{name = value}, "
                    "...}}, every one of them with every combination. What is equal counts once. "
                    "where(params) says which cells stay; inputs(params) returns plain data (hashes of the "
                    "files a cell reads) that becomes part of the cell's key.",
                    "print(#im.run.plan { { name = 'th', values = { 0.1, 0.5 } }, { name = 'place', values = "
                    "{ 1, 2, 3 } } })",
                    describe_options<PlanOptions>),
    bind<open_run>("open", "run.open(out, name, plan, identity [, options]) -> Run",
                   "The run folder out/name/HASH, HASH being that of name, identity (plain data) and the "
                   "program's version; reads "
                   "the cells finished there and makes nothing yet. Fails with 'unreadable'.",
                   IMATCH_RUN_EXAMPLE, describe_options<RunOptions>),
    bind<read_run>("read", "run.read(path) -> Run",
                   "The run in a folder, to look at: its plan is that of the last sweep there. Fails with "
                   "'not_found' or 'bad_format'.",
                   IMATCH_RUN_EXAMPLE "print(#im.run.read(run:path()):rows())"),
    bind<workers>("workers", "run.workers(path) -> list",
                  "The processes that work on a run folder: {worker, host, pid, heartbeat_age_s, is_alive}.",
                  "print(#im.run.workers '/tmp')"),
    bind<compare>("compare", "run.compare(first, second) -> table",
                  "{pairs = {{cell of first, cell of second}, ...}, num_only_first, num_only_second}: the "
                  "finished cells of two runs that have the same parameters.",
                  IMATCH_RUN_EXAMPLE "print(#im.run.compare(run, run).pairs)"),
    bind<report_difference>("report_difference", "run.report_difference(first, second, title, path) -> true",
                            "Writes a page of two runs side by side. Fails with 'unwritable' or 'no_space'.",
                            IMATCH_RUN_EXAMPLE
                            "im.run.report_difference(run, run, 'demo', '/tmp/imatch-lua-examples/d.html')"),
    bind<key>("key", "run.key(value) -> string",
              "Hash of plain data, 24 hexadecimal digits. Equal data has equal keys: the order in tables "
              "does not count, and 2 "
              "is 2.0. NaN, infinity and text that is not UTF-8 are errors.",
              "assert(im.run.key { a = 1, b = 2 } == im.run.key { b = 2.0, a = 1 })"),
    bind<hash_path>("hash", "run.hash(path) -> string",
                    "SHA-256 of a file, or of all files below a folder with their names; 64 hexadecimal "
                    "digits. Fails with "
                    "'not_found' or 'unreadable'.",
                    "print(im.run.hash '/etc/os-release')"),
    bind<is_path>("is_path", "run.is_path(text) -> boolean",
                  "Whether a file or folder of that name is there.", "assert(im.run.is_path '/')"),
    bind<is_file>("is_file", "run.is_file(text) -> boolean", "Whether a file of that name is there.",
                  "assert(im.run.is_file '/etc/os-release')"),
    bind<nearest_name>("nearest", "run.nearest(name, names) -> string",
                       "\"; did you mean 'x'?\" when one of the names is near, else \"\": the end of a "
                       "message about a wrong name.",
                       "print(im.run.nearest('mesure', { 'measure', 'name' }))"),
    bind<start_progress>("progress", "run.progress(name [, unit]) -> Progress",
                         "A progress bar with the time left on a terminal, elsewhere a line now and then, on "
                         "standard error; nothing with --quiet. unit: what is counted, 'cells' unless given.",
                         "local p = im.run.progress('demo', 'pairs'); p:finish(2, 2)"),
    bind<print_duration>("duration", "run.duration(seconds) -> string",
                         "\"0.4 s\", \"35 s\", \"2 min 5 s\", \"3 h 12 min\".",
                         "print(im.run.duration(125))"),
};

constexpr Binding kPlanMethods[] = {
    bind<plan_params>("params", "Plan:params(cell) -> table",
                      "Parameters of a cell, a new table each time; cells count from 1.",
                      "print(im.run.plan { { name = 'th', values = { 0.1 } } }:params(1).th)"),
    bind<plan_key>("key", "Plan:key(cell) -> string",
                   "Key of a cell: the hash of its parameters (and inputs).",
                   "print(im.run.plan { { name = 'th', values = { 0.1 } } }:key(1))"),
    bind<plan_seed>("seed", "Plan:seed(cell, sweep_seed) -> integer",
                    "Random seed of a cell in [0, 2^52), made of the sweep's seed and the cell's key.",
                    "print(im.run.plan { { name = 'th', values = { 0.1 } } }:seed(1, 0))"),
};

constexpr Binding kRunMethods[] = {
    bind<describe>("describe", "Run:describe(script, facts)",
                   "What provenance.json tells of this process when it measures a cell: the script's path "
                   "(or nil) and a table.",
                   IMATCH_RUN_EXAMPLE "run:describe(nil, { seed = 0 })"),
    bind<measure>("measure", "Run:measure(function, seed, best, name) -> true",
                  "Calls function(cell) -> metrics for every cell that is not finished, and writes the "
                  "tables. An error in the "
                  "function is recorded and the rest goes on; so is `nil, message`. Several processes may do "
                  "so at once. Fails "
                  "with 'unwritable' or 'no_space', naming the folder.",
                  IMATCH_RUN_EXAMPLE, describe_options<BestOptions>),
    bind<counts>(
        "counts", "Run:counts() -> table",
        "Numbers of cells: total, run, cached, ok, failed, pending; damaged: unreadable records; "
        "measured_s and cached_s: the time that measuring the finished cells took, and that of those "
        "among them which were there before.",
        IMATCH_RUN_EXAMPLE "print(run:counts().run)"),
    bind<path>("path", "Run:path() -> string", "The run folder.", IMATCH_RUN_EXAMPLE "print(run:path())"),
    bind<row>("row", "Run:row(cell) -> table",
              "One row of results: parameters, metrics, time_ms, cell_key, status, error.",
              IMATCH_RUN_EXAMPLE "print(run:row(1).score)"),
    bind<rows>("rows", "Run:rows() -> list", "All rows, in the order of the plan.",
               IMATCH_RUN_EXAMPLE "print(#run:rows())"),
    bind<best>(
        "best", "Run:best(options) -> table",
        "{title, cell = {cell_key, params, metrics}, setting = {params, num_cells, num_missing, mean, "
        "std, median, min, max, value, low, high, along}, settings}: the best cell, and the best setting "
        "when the axes named in `over` are summed up. value is the statistic asked for (title says it in "
        "words), low and high its bootstrap 95 % interval; settings has the best one of each value of "
        "the axis `compare`, along = {{axis, title, values}, ...} each broken down along an axis.",
        IMATCH_RUN_EXAMPLE "assert(run:best { metric = 'score', direction = 'max' }.cell.params.th == 0.5)",
        describe_options<BestOptions>),
    bind<run_axes>("axes", "Run:axes() -> list", "The axes: {name, values}.",
                   IMATCH_RUN_EXAMPLE "print(run:axes()[1].name)"),
    bind<run_params>("params", "Run:params(cell) -> table", "Parameters of a cell; cells count from 1.",
                     IMATCH_RUN_EXAMPLE "print(run:params(1).th)"),
    bind<record>(
        "record", "Run:record(cell) -> table",
        "What is kept of a finished cell: cell_key, params, status, metrics, time_ms, seed, error, "
        "traceback, log (the end of what a failed one wrote), worker, started. Fails with 'not_found'.",
        IMATCH_RUN_EXAMPLE "print(run:record(1).started)"),
    bind<pareto>("pareto", "Run:pareto(objectives [, over]) -> list",
                 "The settings that no other one beats in all of {{metric =, direction =}, ...} at once, in "
                 "the mean over the axes `over`: {params, num_cells, num_missing, metrics}. A setting beats "
                 "another only if it fails no more often.",
                 IMATCH_RUN_EXAMPLE
                 "print(#run:pareto { { metric = 'score', direction = 'max' }, { metric = 'time_ms' } })",
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
               IMATCH_RUN_EXAMPLE "print(run:rank('score', 'max')[1])"),
    bind<report>("report", "Run:report(best, title [, options]) -> string",
                 "Writes report.html unless it stands there with the same results; returns its path. "
                 "Options: line_x, line_color, "
                 "heat_x, heat_y, heat_facet, metric: what the charts show first.",
                 IMATCH_RUN_EXAMPLE "print(run:report(nil, 'demo'))"),
};

constexpr Binding kProgressMethods[] = {
    bind<update_progress>("update", "Progress:update(total, done [, cached [, failed]])",
                          "How far it is: cached ones were there before and take no part in the estimate; "
                          "failed ones are counted in done. Cheap.",
                          "im.run.progress('demo'):update(10, 1)"),
    bind<finish_progress>("finish", "Progress:finish(total, done [, cached [, failed]])",
                          "Draws the last state and ends the line.",
                          "im.run.progress('demo'):finish(10, 10)"),
};

constexpr Type kTypes[] = {
    describe_type<Progress, progress_to_string>("A progress bar.", kProgressMethods),
    describe_type<Plan, plan_to_string, plan_size>("The cells of a sweep, in order.", kPlanMethods),
    describe_type<RunFolder, run_to_string>("A folder of finished cells and the tables made of them.",
                                            kRunMethods),
};

}  // namespace sweep_bindings

extern const Module run_module;
const Module run_module{"run",
                        "What sweeps are made of: plans, run folders, keys. Most scripts only need im.sweep.",
                        sweep_bindings::kFunctions, sweep_bindings::kTypes};

}  // namespace imatch::host
