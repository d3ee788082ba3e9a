// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "backbone/backbone.h"
#include "base/device.h"
#include "base/error.h"
#include "base/file.h"
#include "base/stop.h"
#include "base/threads.h"
#include "base/version.h"
#include "binding.h"
#include "feature/cache.h"
#include "input_log.h"
#include "process.h"
#include "progress_state.h"
#include "state.h"
#include "sweep.h"
#include "sweep/canonical.h"
#include "sweep/siblings.h"
#include "sweep/worker.h"
#include "version_text.h"

namespace imatch::host {
namespace sweep_run_bindings {

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
  const std::string path = fmt::format("{}/{}/{}", out, name, hash);
  auto run_options = options<RunOptions>(L, 5, "sweep");
  for (std::string& sibling : siblings_of(path, identity)) run_options.siblings.push_back(std::move(sibling));
  return push(L, std::make_shared<RunFolder>(path, std::move(plan), identity, std::move(run_options)));
}

int read_run(lua_State* L) {
  return push(L, RunFolder::read(check_string(L, 1)));
}

int siblings(lua_State* L) {
  const auto& run = arg<RunFolder>(L, 1);
  return push(L, Json(run.siblings()));
}

int workers(lua_State* L) {
  return push(L, list_workers(check_string(L, 1)));
}

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
  int status = 0;
  {
    const MeasuringScope measuring;
    status = lua_pcall(L, 1, 2, handler);
  }
  check_stop();
  // What filled the heap is garbage now; the next cell shall find it free.
  if (status == LUA_ERRMEM || status == LUA_ERRERR) lua_gc(L, LUA_GCCOLLECT, 0);
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
  } catch (const std::bad_alloc&) {
    measured.error = measured.traceback = "out of memory";
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
  const auto late_facts = [] {
    Json weights = Json::object(), inputs = Json::array();
    for (const auto& backbone : opened_backbones()) weights[backbone->spec()] = backbone->weights_sha256();
    for (const Input& i : input_log().inputs_of_cells())
      inputs.push_back({{"kind", i.kind}, {"name", i.name}, {"sha256", i.sha256}});
    const CacheStatistics cache = feature_cache().statistics();
    return Json{{"weights_sha256", weights},
                {"inputs_of_cells", inputs},
                {"feature_cache",
                 {{"hits", cache.memory_hits + cache.disk_hits},
                  {"misses", cache.misses},
                  {"saved_s", cache.saved_ms / 1000}}}};
  };
  run.describe(is_absent(L, 2) ? "" : check_string(L, 2), std::move(facts), late_facts,
               [] { return input_log().num_inputs_of_cells(); });
  return 0;
}

/// Calls the function at `index`, nil for none, whenever the tables are new; what fails there is tried again.
std::function<void()> on_tables(lua_State* L, int index) {
  if (is_absent(L, index)) return {};
  check_function(L, index);
  return [L, index] {
    lua_pushvalue(L, index);
    if (lua_pcall(L, 0, 0, 0) != 0) lua_pop(L, 1);
  };
}

int measure(lua_State* L) {
  auto& run = mutable_arg<RunFolder>(L, 1);
  check_function(L, 2);
  const std::int64_t seed = check_integer(L, 3, -(std::int64_t{1} << 53), std::int64_t{1} << 53);
  const auto best = optional_best(L, 4);
  const std::string name = check_string(L, 5);
  lua_settop(L, 6);
  auto refresh = on_tables(L, 6);
  lua_pushcfunction(L, message_handler);
  run.run([&](std::size_t cell) { return measure_cell(L, 2, 7, run.plan(), cell); }, best, seed, name,
          std::move(refresh));
  return push(L, true);
}

int report_cell(lua_State* L) {
  auto& run = mutable_arg<RunFolder>(L, 1);
  run.report(check_cell(L, 2, run.plan()), check_progress(L, 3));
  return 0;
}

int checkpoint_folder(lua_State* L) {
  auto& run = mutable_arg<RunFolder>(L, 1);
  return push(L, run.checkpoint_folder(check_cell(L, 2, run.plan())));
}

int unfinished(lua_State* L) {
  const auto& run = arg<RunFolder>(L, 1);
  Json list = Json::array();
  for (const auto& [cell, progress] : run.unfinished())
    list.push_back({{"cell", cell + 1},
                    {"progress", progress_json(progress.state)},
                    {"text", progress_text(progress.state, TimeLeft(), "steps")},
                    {"worker", progress.worker},
                    {"age_s", progress.age_s}});
  return push(L, list);
}

Json counts_of(const RunFolder& run) {
  const ResultTable& results = run.results();
  double measured_s = 0;
  for (std::size_t cell = 0; cell < results.size(); ++cell) measured_s += results.time_spent_ms(cell) / 1000;
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

int record(lua_State* L) {
  const auto& run = arg<RunFolder>(L, 1);
  const CellRecord r = run.record(check_cell(L, 2, run.plan()));
  return push(L, Json{{"cell_key", r.key},
                      {"params", r.params},
                      {"status", r.ok ? "ok" : "failed"},
                      {"metrics", r.metrics},
                      {"time_ms", r.time_ms},
                      {"time_spent_ms", r.time_spent_ms},
                      {"seed", r.seed},
                      {"error", r.error},
                      {"traceback", r.traceback},
                      {"log", r.log},
                      {"worker", r.worker},
                      {"started", r.started},
                      {"progress", r.progress}});
}

int begin(lua_State* L) {
  mutable_arg<RunFolder>(L, 1).begin();
  return push(L, true);
}

int table_text(lua_State* L) {
  const auto& run = arg<RunFolder>(L, 1);
  const std::string format = check_string(L, 2);
  if (format != "csv" && format != "jsonl")
    wrong_argument(L, 2, fmt::format("'csv' or 'jsonl', not '{}'", format));
  return push(L, format == "csv" ? run.results().csv(run.plan()) : run.results().jsonl(run.plan()));
}

int run_axes(lua_State* L) {
  return push(L, arg<RunFolder>(L, 1).plan().axes_json());
}

int run_params(lua_State* L) {
  const auto& run = arg<RunFolder>(L, 1);
  return push(L, run.plan().params(check_cell(L, 2, run.plan())));
}

int run_to_string(lua_State* L) {
  const auto& run = arg<RunFolder>(L, 1);
  return push(L, fmt::format("Run({}, {} of {} cells)", run.path(),
                             run.results().size() - run.results().num_pending(), run.results().size()));
}

constexpr Binding kRunFunctions[] = {
    bind<open_run>("open", "run.open(out, name, plan, identity [, options]) -> Run",
                   "The run folder out/name/HASH, HASH being that of name, identity (plain data) and the "
                   "program's version; reads "
                   "the cells finished there, and in folders beside it whose identity differs in `chosen` "
                   "alone, and makes nothing yet. Fails with 'unreadable'.",
                   IMATCH_RUN_EXAMPLE, describe_options<RunOptions>),
    bind<read_run>("read", "run.read(path) -> Run",
                   "The run in a folder, to look at: its plan is that of the last sweep there. Fails with "
                   "'not_found' or 'bad_format'.",
                   IMATCH_RUN_EXAMPLE "print(#im.run.read(run:path()):rows()) --> 2"),
    bind<workers>("workers", "run.workers(path) -> list",
                  "The processes that work on a run folder: {worker, host, pid, heartbeat_age_s, is_alive}.",
                  "print(#im.run.workers '/tmp') --> 0"),
};

constexpr Binding kRunMethods[] = {
    bind<describe>("describe", "Run:describe(script, facts)",
                   "What provenance.json tells of this process when it measures a cell: the script's path "
                   "(or nil) and a table.",
                   IMATCH_RUN_EXAMPLE "run:describe(nil, { seed = 0 })"),
    bind<measure>("measure", "Run:measure(function, seed, best, name [, on_tables]) -> true",
                  "Calls function(cell) -> metrics for every cell that is not finished, and writes the "
                  "tables. An error in the "
                  "function is recorded and the rest goes on; so is `nil, message`. Several processes may do "
                  "so at once. on_tables() is called whenever the tables were brought up to date meanwhile. "
                  "Fails with 'unwritable' or 'no_space', naming the folder.",
                  IMATCH_RUN_EXAMPLE, describe_options<BestOptions>),
    bind<begin>("begin", "Run:begin() -> true",
                "Makes the folder with plan and provenance, so that others may look at the run before its "
                "first cell. measure does so too. Fails with 'unwritable' or 'no_space'.",
                IMATCH_RUN_EXAMPLE "print(run:begin()) --> true"),
    bind<siblings>("siblings", "Run:siblings() -> list",
                   "Paths of the run folders whose finished cells count here too.",
                   IMATCH_RUN_EXAMPLE "print(#run:siblings()) --> 0"),
    bind<table_text>("table", "Run:table(format) -> string",
                     "The finished cells as results.csv or results.jsonl have them; format: csv or jsonl.",
                     IMATCH_RUN_EXAMPLE "print((run:table 'csv'):match '^cell_key') --> cell_key"),
    bind<report_cell>(
        "progress", "Run:progress(cell, state)",
        "How far the measurement of a cell is, as Progress:update takes it: shown behind the "
        "progress of the run, in `imatch-lua sweep status` and in the report. Nothing happens for "
        "a cell that is not being measured. An error when another process has taken the cell over.",
        IMATCH_RUN_EXAMPLE "run:progress(1, { done = 3, total = 10, loss = 0.5 })"),
    bind<checkpoint_folder>(
        "checkpoint_dir", "Run:checkpoint_dir(cell) -> string",
        "A folder for parts of a long measurement: there again for whoever measures the cell after an "
        "interruption, a kill or a failure, removed once the cell is finished. For a cell that is not being "
        "measured an empty folder that nobody keeps.",
        IMATCH_RUN_EXAMPLE "assert(#im.file.list(run:checkpoint_dir(1)) == 0)"),
    bind<unfinished>(
        "unfinished", "Run:unfinished() -> list",
        "The cells that tell of their progress and are not finished: { cell, progress = { done, total, loss, "
        "... }, text, worker, age_s }.",
        IMATCH_RUN_EXAMPLE "assert(#run:unfinished() == 0)"),
    bind<counts>(
        "counts", "Run:counts() -> table",
        "Numbers of cells: total, run, cached, ok, failed, pending; damaged: unreadable records; "
        "measured_s and cached_s: the time that measuring the finished cells took, and that of those "
        "among them which were there before.",
        IMATCH_RUN_EXAMPLE "print(run:counts().total) --> 2"),
    bind<path>("path", "Run:path() -> string", "The run folder.",
               IMATCH_RUN_EXAMPLE "print(run:path()) --> /tmp/imatch-lua-examples/demo/..."),
    bind<row>("row", "Run:row(cell) -> table",
              "One row of results: parameters, metrics, time_ms, cell_key, status, error.",
              IMATCH_RUN_EXAMPLE "print(run:row(1).score) --> 0.2"),
    bind<rows>("rows", "Run:rows() -> list", "All rows, in the order of the plan.",
               IMATCH_RUN_EXAMPLE "print(#run:rows()) --> 2"),
    bind<run_axes>("axes", "Run:axes() -> list", "The axes: {name, values}.",
                   IMATCH_RUN_EXAMPLE "print(run:axes()[1].name) --> th"),
    bind<run_params>("params", "Run:params(cell) -> table", "Parameters of a cell; cells count from 1.",
                     IMATCH_RUN_EXAMPLE "print(run:params(1).th) --> 0.1"),
    bind<record>("record", "Run:record(cell) -> table",
                 "What is kept of a finished cell: cell_key, params, status, metrics, time_ms, seed, error, "
                 "traceback, log (the end of what a failed one wrote), worker, started, progress (the last "
                 "that it told). Fails with 'not_found'.",
                 IMATCH_RUN_EXAMPLE "print(run:record(1).params.th) --> 0.1"),
};

constexpr Type kRunTypes[] = {
    describe_type<RunFolder, run_to_string>("A folder of finished cells and the tables made of them.",
                                            kRunMethods),
};

}  // namespace sweep_run_bindings

extern const Module run_module;
const Module run_module{"run", "", sweep_run_bindings::kRunFunctions, sweep_run_bindings::kRunTypes};

}  // namespace imatch::host
