// SPDX-License-Identifier: Apache-2.0
#include "report/comparison_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <unordered_map>

#include "report/page_data.h"
#include "report/pictures.h"
#include "sweep/comparison.h"

namespace imatch {
namespace fs = std::filesystem;
namespace {

bool is_number(const Scalar& entry) {
  return entry.kind == Scalar::Kind::kNumber || entry.kind == Scalar::Kind::kBoolean;
}

}  // namespace

void write_comparison(const RunFolder& first, const RunFolder& second, const ReportParts& parts,
                      const std::string& path) {
  const Comparison comparison = compare_runs(first, second);
  const auto& pairs = comparison.pairs;
  const Plan& plan = first.plan();
  const ResultTable &a = first.results(), &b = second.results();
  std::vector<std::size_t> cells;
  for (const auto& [cell, other] : pairs) cells.push_back(cell);
  std::string out;
  append_head(out, parts.title, plan, cells);
  std::vector<std::string> metrics;
  std::vector<std::string> names = a.metrics();
  names.emplace_back("time_ms");
  for (const std::string& name : names)
    if (std::any_of(pairs.begin(), pairs.end(), [&](const auto& pair) {
          return is_number(a.get(pair.first, name)) && is_number(b.get(pair.second, name));
        }))
      metrics.push_back(name);
  out += ',';
  append_list(out, "metrics", 3 * metrics.size(), [&](std::size_t i) {
    constexpr const char* kWhich[] = {"A", "B", "B - A"};
    const std::string& name = metrics[i / 3];
    append_description(out, name, fmt::format(" ({})", kWhich[i % 3]));
    append_list(out, "values", pairs.size(), [&](std::size_t k) {
      const Scalar of_a = a.get(pairs[k].first, name), of_b = b.get(pairs[k].second, name);
      const bool known = (i % 3 == 1 || is_number(of_a)) && (i % 3 == 0 || is_number(of_b));
      if (known)
        append_number(out, i % 3 == 0 ? of_a.number : i % 3 == 1 ? of_b.number : of_b.number - of_a.number);
      else
        out += "null";
    });
    out += '}';
  });
  out += ',';
  append_list(out, "time_ms", pairs.size(), [&](std::size_t) { out += "null"; });
  out += ',';
  append_list(out, "status", pairs.size(), [&](std::size_t i) {
    const bool ok = a.status(pairs[i].first) == ResultTable::Status::kOk &&
                    b.status(pairs[i].second) == ResultTable::Status::kOk;
    out += std::to_string(static_cast<int>(ok ? ResultTable::Status::kOk : ResultTable::Status::kFailed));
  });

  Json errors = Json::object(), pictures = Json::object();
  std::unordered_map<std::size_t, std::size_t> place_of[2];
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    place_of[0][pairs[i].first] = place_of[1][pairs[i].second] = i;
    std::string message;
    if (a.status(pairs[i].first) == ResultTable::Status::kFailed) message += "A: " + a.error(pairs[i].first);
    if (b.status(pairs[i].second) == ResultTable::Status::kFailed)
      message += (message.empty() ? "B: " : "; B: ") + b.error(pairs[i].second);
    if (!message.empty()) errors[std::to_string(i)] = message;
  }
  std::size_t embedded = 0;
  for (const RunFolder* run : {&first, &second})
    for (const CellPicture& picture : find_pictures(*run)) {
      const auto& places = place_of[run == &second];
      const auto found = places.find(picture.cell);
      if (found == places.end()) continue;
      const std::string link =
          fs::proximate(run->path() + "/" + picture.relative, fs::absolute(path).parent_path()).string();
      Json json = picture_json(*run, picture, link, embedded);
      json["name"] = fmt::format("{}: {}", run == &first ? "A" : "B", picture.name);
      pictures[std::to_string(found->second)].push_back(std::move(json));
    }
  Json options = parts.options;
  options["compared"] = metrics;
  options["runs"] = {first.path(), second.path()};
  options["only"] = {comparison.num_only_first, comparison.num_only_second};
  const Json provenance{{"A", json_of_file(first.path() + "/provenance.json")},
                        {"B", json_of_file(second.path() + "/provenance.json")}};
  append_members(out, {{"errors", errors},
                       {"best", nullptr},
                       {"provenance", provenance},
                       {"pictures", pictures},
                       {"progress", Json::object()},
                       {"options", options}});
  write_page(path, parts, out += '}', first.results_key() + second.results_key());
}

}  // namespace imatch
