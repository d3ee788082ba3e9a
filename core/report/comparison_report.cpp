// SPDX-License-Identifier: Apache-2.0
#include "report/comparison_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "report/page_data.h"
#include "report/pictures.h"
#include "sweep/comparison.h"

namespace imatch {
namespace fs = std::filesystem;
namespace {

using Runs = std::span<const RunFolder* const>;
/// Of each run the cell with the same parameters.
using Row = std::vector<std::size_t>;

bool is_number(const Scalar& entry) {
  return entry.kind == Scalar::Kind::kNumber || entry.kind == Scalar::Kind::kBoolean;
}

std::string letter(std::size_t run) {
  return std::string(1, static_cast<char>('A' + run));
}

/// The cells that all runs have finished, by the first one's order.
std::vector<Row> common_cells(Runs runs) {
  std::vector<Row> rows;
  for (std::size_t run = 1; run < runs.size(); ++run) {
    const auto pairs = compare_runs(*runs[0], *runs[run]).pairs;
    if (run == 1) {
      for (const auto& [cell, other] : pairs) rows.push_back({cell, other});
      continue;
    }
    const std::unordered_map<std::size_t, std::size_t> place_of(pairs.begin(), pairs.end());
    std::erase_if(rows, [&](Row& row) {
      const auto found = place_of.find(row[0]);
      if (found == place_of.end()) return true;
      row.push_back(found->second);
      return false;
    });
  }
  return rows;
}

std::vector<std::string> metrics_of_all(Runs runs, const std::vector<Row>& rows) {
  std::vector<std::string> names = runs[0]->results().metrics(), kept;
  names.emplace_back("time_ms");
  for (const std::string& name : names)
    if (std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
          for (std::size_t run = 0; run < runs.size(); ++run)
            if (!is_number(runs[run]->results().get(row[run], name))) return false;
          return true;
        }))
      kept.push_back(name);
  return kept;
}

void append_values(std::string& out, Runs runs, const std::vector<Row>& rows, const std::string& metric) {
  for (std::size_t column = 0; column < 2 * runs.size() - 1; ++column) {
    const bool is_difference = column >= runs.size();
    const std::size_t run = is_difference ? column - runs.size() + 1 : column;
    append_description(out, metric,
                       is_difference ? fmt::format(" ({} - A)", letter(run)) : " (" + letter(run) + ")");
    append_list(out, "values", rows.size(), [&](std::size_t k) {
      const Scalar value = runs[run]->results().get(rows[k][run], metric);
      const Scalar first = runs[0]->results().get(rows[k][0], metric);
      if (is_number(value) && (!is_difference || is_number(first)))
        append_number(out, is_difference ? value.number - first.number : value.number);
      else
        out += "null";
    });
    out += "},";
  }
}

Json pictures_of(Runs runs, const std::vector<Row>& rows, const std::string& page_folder) {
  Json pictures = Json::object();
  std::size_t embedded = 0;
  for (std::size_t run = 0; run < runs.size(); ++run) {
    std::unordered_map<std::size_t, std::size_t> place_of;
    for (std::size_t i = 0; i < rows.size(); ++i) place_of[rows[i][run]] = i;
    for (const CellPicture& picture : find_pictures(*runs[run])) {
      const auto found = place_of.find(picture.cell);
      if (found == place_of.end()) continue;
      const std::string link =
          fs::proximate(runs[run]->path() + "/" + picture.relative, page_folder).string();
      Json json = picture_json(*runs[run], picture, link, embedded);
      json["name"] = letter(run) + ": " + picture.name;
      pictures[std::to_string(found->second)].push_back(std::move(json));
    }
  }
  return pictures;
}

Json facts_of(Runs runs, std::size_t run, std::size_t num_compared) {
  const Plan& plan = runs[run]->plan();
  Json axes = Json::array();
  for (const Axis& axis : plan.axes()) axes.push_back({{"name", axis.name}, {"values", axis.values}});
  const std::string folder = runs[run]->path();
  const ResultTable& results = runs[run]->results();
  return {{"letter", letter(run)},
          {"path", folder},
          {"num_only_here", results.size() - results.num_pending() - num_compared},
          {"axes", axes},
          {"provenance", json_of_file(folder + "/provenance.json")},
          {"best", json_of_file(folder + "/best.json")},
          {"code", json_of_file(folder + "/code.json")}};
}

}  // namespace

void write_comparison(Runs runs, const ReportParts& parts, const std::string& path) {
  if (runs.size() < 2 || runs.size() > 26)
    throw Error(fmt::format("a comparison of {} runs; expected 2 to 26", runs.size()));
  const std::vector<Row> rows = common_cells(runs);
  std::vector<std::size_t> cells;
  for (const Row& row : rows) cells.push_back(row[0]);
  std::string out;
  append_head(out, parts.title, runs[0]->plan(), cells);
  const std::vector<std::string> metrics = metrics_of_all(runs, rows);
  out += ",\"metrics\":[";
  for (const std::string& metric : metrics) append_values(out, runs, rows, metric);
  if (out.back() == ',') out.pop_back();
  out += "],";
  append_list(out, "time_ms", rows.size(), [&](std::size_t) { out += "null"; });
  out += ',';

  Json errors = Json::object();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::string message;
    for (std::size_t run = 0; run < runs.size(); ++run)
      if (runs[run]->results().status(rows[i][run]) == ResultTable::Status::kFailed)
        message +=
            (message.empty() ? "" : "; ") + letter(run) + ": " + runs[run]->results().error(rows[i][run]);
    if (!message.empty()) errors[std::to_string(i)] = message;
  }
  append_list(out, "status", rows.size(), [&](std::size_t i) {
    const bool failed = errors.contains(std::to_string(i));
    out += std::to_string(static_cast<int>(failed ? ResultTable::Status::kFailed : ResultTable::Status::kOk));
  });

  Json options = parts.options;
  options["compared"] = metrics;
  options["runs"] = Json::array();
  std::string key;
  for (std::size_t run = 0; run < runs.size(); ++run) {
    options["runs"].push_back(facts_of(runs, run, rows.size()));
    key += runs[run]->results_key();
  }
  append_members(out, {{"errors", errors},
                       {"best", nullptr},
                       {"provenance", Json::object()},
                       {"pictures", pictures_of(runs, rows, fs::absolute(path).parent_path())},
                       {"progress", Json::object()},
                       {"options", options}});
  write_page(path, parts, out += '}', key);
}

}  // namespace imatch
