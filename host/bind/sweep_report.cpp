// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "binding.h"
#include "report/comparison_report.h"
#include "report/report.h"
#include "sweep.h"

namespace imatch::host {
namespace sweep_report_bindings {

const std::vector<std::string> kCharts{"vega", "vega-lite", "vega-embed"};

int write_run_report(lua_State* L) {
  auto& run = mutable_arg<RunFolder>(L, 1);
  ReportParts parts =
      page_parts("report", kCharts, {"look", "data", "statistics", "charts", "table", "page", "report"});
  parts.title = check_string(L, 3);
  parts.options = is_absent(L, 4) ? Json::object() : to_json(L, 4, "report");
  const auto best = optional_best(L, 2);
  std::string path;
  run.with_tables(best, [&] { path = write_report(run, best, parts); });
  return push(L, path);
}

int report_comparison(lua_State* L) {
  ReportParts parts =
      page_parts("comparison", kCharts,
                 {"look", "data", "statistics", "charts", "table", "page", "code_changes", "comparison"});
  if (!lua_istable(L, 1)) wrong_argument(L, 1, "a list of runs");
  std::vector<const RunFolder*> runs;
  for_each_item<RunFolder>(L, 1, [&](auto run) { runs.push_back(run.get()); });
  parts.title = check_string(L, 2);
  parts.options = is_absent(L, 4) ? Json::object() : to_json(L, 4, "report_comparison");
  write_comparison(runs, parts, check_string(L, 3));
  return push(L, true);
}

constexpr Binding kReportFunctions[] = {
    bind<report_comparison>(
        "report_comparison", "run.report_comparison(runs, title, path [, options]) -> true",
        "Writes a page of two runs or more, side by side, with what differs in their code and options. "
        "Options: metric, statistic: what it shows first. Fails with 'unwritable' or 'no_space'.",
        IMATCH_RUN_EXAMPLE
        "im.run.report_comparison({ run, run }, 'demo', '/tmp/imatch-lua-examples/d.html')"),
};

constexpr Binding kReportMethods[] = {
    bind<write_run_report>(
        "report", "Run:report(best, title [, options]) -> string",
        "Writes report.html unless it stands there with the same results, and the tables; returns its path. "
        "Options: line_x, line_color, "
        "heat_x, heat_y, heat_facet, metric: what the charts show first; file: another name for it; "
        "reload_s: "
        "it loads itself anew at this interval.",
        IMATCH_RUN_EXAMPLE
        "print(run:report(nil, 'demo')) --> /tmp/imatch-lua-examples/demo/.../report.html"),
};

constexpr Type kReportTypes[] = {more_methods<RunFolder>(kReportMethods)};

}  // namespace sweep_report_bindings

extern const Module report_module;
const Module report_module{"run", "", sweep_report_bindings::kReportFunctions,
                           sweep_report_bindings::kReportTypes};

}  // namespace imatch::host
