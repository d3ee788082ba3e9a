// SPDX-License-Identifier: Apache-2.0
#include "report/report.h"

#include <fmt/format.h>

#include <filesystem>
#include <numeric>

#include "base/sha256.h"
#include "report/page_data.h"
#include "report/pictures.h"

namespace imatch {
namespace fs = std::filesystem;
namespace {

void append_column(std::string& out, const ResultTable& results, const std::string& metric) {
  append_description(out, metric);
  append_list(out, "values", results.size(), [&](std::size_t cell) {
    const Scalar entry = results.get(cell, metric);
    switch (entry.kind) {
      case Scalar::Kind::kMissing:
        out += "null";
        break;
      case Scalar::Kind::kNumber:
        append_number(out, entry.number);
        break;
      case Scalar::Kind::kBoolean:
        out += entry.number != 0 ? "true" : "false";
        break;
      case Scalar::Kind::kText:
      case Scalar::Kind::kNested:
        out += quoted_json(*entry.text);
        break;
    }
  });
  out += '}';
}

/// {cell: {done, total, loss, ...}} of the cells that told of their progress; those at which somebody works,
/// or worked until he was stopped, have `worker` as well.
Json progress_of_cells(const RunFolder& run) {
  Json cells = Json::object();
  for (std::size_t cell = 0; cell < run.plan().size(); ++cell)
    if (Json last = run.results().progress(cell); !last.is_null())
      cells[std::to_string(cell)] = std::move(last);
  for (const auto& [cell, progress] : run.unfinished()) {
    Json& entry = cells[std::to_string(cell)] = progress_json(progress.state);
    entry["worker"] = progress.worker;
  }
  return cells;
}

std::string key_of_report(const RunFolder& run, const std::optional<BestOptions>& best,
                          const ReportParts& parts) {
  Sha256 hash;
  hash.add(run.results_key()).add(parts.title).add(parts.page).add(parts.style).add(parts.options.dump());
  for (const std::string& script : parts.scripts) hash.add(script);
  hash.add(progress_of_cells(run).dump());
  if (best) hash.add(options_to_json(*best).dump());
  for (const CellPicture& picture : find_pictures(run)) {
    std::error_code missing;
    hash.add(
        fmt::format("{} {};", picture.relative, fs::file_size(run.path() + "/" + picture.relative, missing)));
  }
  return hash.hex();
}

}  // namespace

std::string report_data(const RunFolder& run, const std::optional<BestOptions>& best,
                        const ReportParts& parts) {
  const Plan& plan = run.plan();
  const ResultTable& results = run.results();
  std::vector<std::size_t> cells(plan.size());
  std::iota(cells.begin(), cells.end(), std::size_t{0});
  std::string out;
  append_head(out, parts.title, plan, cells);
  out += ',';
  const auto metrics = results.metrics();
  append_list(out, "metrics", metrics.size(),
              [&](std::size_t i) { append_column(out, results, metrics[i]); });
  out += ',';
  append_list(out, "time_ms", plan.size(),
              [&](std::size_t cell) { append_number(out, results.time_ms(cell)); });
  out += ',';
  append_list(out, "status", plan.size(),
              [&](std::size_t cell) { out += std::to_string(static_cast<int>(results.status(cell))); });

  Json errors = Json::object();
  for (std::size_t cell = 0; cell < plan.size(); ++cell)
    if (results.status(cell) == ResultTable::Status::kFailed)
      errors[std::to_string(cell)] = results.error(cell);
  Json pictures = Json::object();
  std::size_t embedded = 0;
  for (const CellPicture& picture : find_pictures(run))
    pictures[std::to_string(picture.cell)].push_back(picture_json(run, picture, picture.relative, embedded));
  const Json selection = best && results.num_ok() > 0 ? select_best(plan, results, *best) : Json(nullptr);
  append_members(out, {{"errors", errors},
                       {"best", selection},
                       {"provenance", json_of_file(run.path() + "/provenance.json")},
                       {"pictures", pictures},
                       {"progress", progress_of_cells(run)},
                       {"options", parts.options}});
  return out += '}';
}

std::string write_report(const RunFolder& run, const std::optional<BestOptions>& best,
                         const ReportParts& parts) {
  const std::string path = run.path() + "/" + parts.options.value("file", std::string("report.html"));
  const std::string key = key_of_report(run, best, parts);
  if (has_content_key(path, key)) return path;
  write_page(path, parts, report_data(run, best, parts), key);
  return path;
}

}  // namespace imatch
