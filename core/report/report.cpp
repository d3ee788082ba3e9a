// SPDX-License-Identifier: Apache-2.0
#include "report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <unordered_map>

#include "base/base64.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "evaluation/metric.h"
#include "sweep/canonical.h"

namespace imatch {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostEmbeddedBytes = 24 << 20;

struct Picture {
  std::size_t cell;
  std::string name;      ///< File name without suffix.
  std::string relative;  ///< Path below the run folder.
};

/// The pictures of the plan's cells, by cell and name.
std::vector<Picture> find_pictures(const RunFolder& run) {
  std::vector<Picture> pictures;
  std::error_code missing;
  for (const auto& folder : fs::directory_iterator(run.path() + "/pictures", missing)) {
    const std::int64_t cell = run.plan().find(folder.path().filename().string());
    if (cell < 0) continue;
    for (const auto& file : fs::directory_iterator(folder.path(), missing)) {
      if (file.path().extension() != ".png") continue;
      pictures.push_back({static_cast<std::size_t>(cell), file.path().stem().string(),
                          fs::relative(file.path(), run.path()).string()});
    }
  }
  std::sort(pictures.begin(), pictures.end(), [](const Picture& a, const Picture& b) {
    return std::tie(a.cell, a.name) < std::tie(b.cell, b.name);
  });
  return pictures;
}

void append_number(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "null";
  } else if (std::isinf(value)) {
    out += value > 0 ? "\"inf\"" : "\"-inf\"";
  } else if (value == std::floor(value) && std::abs(value) < 1e15) {
    out += canonical_number(value);
  } else {
    char digits[40];
    const auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::general, 6);
    out.append(digits, end.ptr);
  }
}

/// Appends `"name":[item, item, ...]`.
template <class Item>
void append_list(std::string& out, const char* name, std::size_t n, Item&& item) {
  out += fmt::format("{}:[", quoted_json(name));
  for (std::size_t i = 0; i < n; ++i) {
    if (i > 0) out += ',';
    item(i);
  }
  out += ']';
}

/// {"name":"...","label":...: what a column is, in the words of evaluation/metric.h. `ending` goes behind
/// name and label.
void append_description(std::string& out, const std::string& name, const std::string& ending = "") {
  const MetricDefinition metric = describe_metric(name);
  Json json = to_json(metric);
  json["name"] = name + ending;
  json["label"] = metric.label() + ending;
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  out.append(text, 0, text.size() - 1);
  out += ',';
}

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

Json json_of_file(const std::string& path) {
  try {
    return Json::parse(read_file(path), nullptr, false);
  } catch (const Failure&) {
    return nullptr;
  }
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

/// Keeps JSON inside of its <script>: no '<' means no tag and no comment can begin there.
std::string safe_in_script(std::string json) {
  replace_all(json, "<", "\\u003c");
  return json;
}

std::string safe_script(std::string javascript) {
  replace_all(javascript, "</script", "<\\/script");
  replace_all(javascript, "<!--", "<\\!--");
  return javascript;
}

std::string safe_text(std::string text) {
  replace_all(text, "&", "&amp;");
  replace_all(text, "<", "&lt;");
  replace_all(text, ">", "&gt;");
  replace_all(text, "\"", "&quot;");
  return text;
}

/// Replaces each {{name}} in one pass, so that what comes in its place may hold anything.
std::string fill(const std::string& page, const std::vector<std::pair<std::string, std::string>>& values) {
  std::string out;
  for (std::size_t at = 0;;) {
    const std::size_t open = page.find("{{", at);
    const std::size_t close = open == std::string::npos ? open : page.find("}}", open);
    if (close == std::string::npos) return out += page.substr(at);
    out += page.substr(at, open - at);
    const std::string name = page.substr(open + 2, close - open - 2);
    const auto found =
        std::find_if(values.begin(), values.end(), [&](const auto& v) { return v.first == name; });
    if (found == values.end())
      throw Error(fmt::format("report: the page asks for an unknown value '{{{{{}}}}}'", name));
    out += found->second;
    at = close + 2;
  }
}

std::string report_fingerprint(const RunFolder& run, const std::optional<BestOptions>& best,
                               const ReportParts& parts) {
  Sha256 hash;
  hash.add(run.fingerprint()).add(parts.title).add(parts.page).add(parts.style).add(parts.options.dump());
  for (const std::string& script : parts.scripts) hash.add(script);
  if (best) hash.add(options_to_json(*best).dump());
  for (const Picture& picture : find_pictures(run)) {
    std::error_code missing;
    hash.add(
        fmt::format("{} {};", picture.relative, fs::file_size(run.path() + "/" + picture.relative, missing)));
  }
  return hash.hex();
}

/// Whether the head of the file holds the fingerprint.
bool has_fingerprint(const std::string& path, const std::string& fingerprint) {
  std::error_code missing;
  if (!fs::is_regular_file(path, missing)) return false;
  return read_file(path).substr(0, 1024).find(fingerprint) != std::string::npos;
}

/// {name, source, file}: a data URL while `embedded` bytes are below the limit, else `link`.
Json picture_json(const RunFolder& run, const Picture& picture, const std::string& link,
                  std::size_t& embedded) {
  const fs::path file = fs::path(run.path()) / picture.relative;
  const fs::path preview = fs::path(file).replace_extension(".jpg");
  const bool has_preview = fs::exists(preview);
  const std::string bytes = read_file(has_preview ? preview : file);
  std::string source = link;
  if ((embedded += bytes.size()) <= kMostEmbeddedBytes)
    source = fmt::format("data:image/{};base64,{}", has_preview ? "jpeg" : "png", base64(bytes));
  return {{"name", picture.name}, {"source", source}, {"file", link}};
}

void write_page(const std::string& path, const ReportParts& parts, const std::string& json,
                const std::string& fingerprint) {
  std::string scripts;
  for (const std::string& script : parts.scripts) scripts += "<script>" + safe_script(script) + "</script>\n";
  const std::string data =
      "<script type=\"application/json\" id=\"data\">" + safe_in_script(json) + "</script>";
  write_file_atomically(path, fill(parts.page, {{"title", safe_text(parts.title)},
                                                {"style", parts.style},
                                                {"scripts", scripts},
                                                {"data", data},
                                                {"fingerprint", fingerprint}}));
}

}  // namespace

std::string report_data(const RunFolder& run, const std::optional<BestOptions>& best,
                        const ReportParts& parts) {
  const Plan& plan = run.plan();
  const ResultTable& results = run.results();
  std::string out = "{\"name\":" + quoted_json(parts.title) + ",";
  append_list(out, "axes", plan.axes().size(), [&](std::size_t axis) {
    append_description(out, plan.axes()[axis].name);
    append_list(out, "values", plan.axes()[axis].values.size(),
                [&](std::size_t i) { out += plan.value_text(axis, static_cast<std::uint32_t>(i)); });
    out += '}';
  });
  out += ',';
  append_list(out, "keys", plan.size(), [&](std::size_t cell) { (out += '"') += plan.key(cell) + '"'; });
  out += ',';
  append_list(out, "cells", plan.axes().size(), [&](std::size_t axis) {
    out += '[';
    for (std::size_t cell = 0; cell < plan.size(); ++cell)
      out += (cell > 0 ? "," : "") + std::to_string(plan.value_index(cell, axis));
    out += ']';
  });
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
  for (const Picture& picture : find_pictures(run))
    pictures[std::to_string(picture.cell)].push_back(picture_json(run, picture, picture.relative, embedded));
  const Json selection = best && results.num_ok() > 0 ? select_best(plan, results, *best) : Json(nullptr);
  for (const auto& [name, value] : {std::pair<const char*, Json>{"errors", errors},
                                    {"best", selection},
                                    {"provenance", json_of_file(run.path() + "/provenance.json")},
                                    {"pictures", pictures},
                                    {"options", parts.options}})
    out += fmt::format(",\"{}\":{}", name, value.dump(-1, ' ', false, Json::error_handler_t::replace));
  return out += '}';
}

std::string write_report(const RunFolder& run, const std::optional<BestOptions>& best,
                         const ReportParts& parts) {
  const std::string path = run.path() + "/report.html";
  const std::string fingerprint = report_fingerprint(run, best, parts);
  if (has_fingerprint(path, fingerprint)) return path;
  write_page(path, parts, report_data(run, best, parts), fingerprint);
  return path;
}

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

std::string identity_of(const Plan& plan, const std::vector<std::string>& axes, std::size_t cell) {
  std::string text;
  for (const std::string& name : axes) {
    const auto axis = static_cast<std::size_t>(plan.axis(name));
    (text += plan.value_text(axis, plan.value_index(cell, axis))) += '\n';
  }
  return text;
}

bool is_number(const Scalar& entry) {
  return entry.kind == Scalar::Kind::kNumber || entry.kind == Scalar::Kind::kBoolean;
}

}  // namespace

Comparison compare_runs(const RunFolder& first, const RunFolder& second) {
  const auto axes = shared_axes(first.plan(), second.plan());
  std::unordered_map<std::string, std::size_t> cells;
  for (std::size_t cell = 0; cell < second.plan().size(); ++cell)
    if (second.results().status(cell) != ResultTable::Status::kPending)
      cells.emplace(identity_of(second.plan(), axes, cell), cell);
  Comparison comparison;
  for (std::size_t cell = 0; cell < first.plan().size(); ++cell) {
    if (first.results().status(cell) == ResultTable::Status::kPending) continue;
    const auto found = cells.find(identity_of(first.plan(), axes, cell));
    if (found == cells.end())
      ++comparison.num_only_first;
    else
      comparison.pairs.emplace_back(cell, found->second);
  }
  comparison.num_only_second = cells.size() - comparison.pairs.size();
  return comparison;
}

void write_comparison(const RunFolder& first, const RunFolder& second, const ReportParts& parts,
                      const std::string& path) {
  const Comparison comparison = compare_runs(first, second);
  const auto& pairs = comparison.pairs;
  const Plan& plan = first.plan();
  const ResultTable &a = first.results(), &b = second.results();
  std::string out = "{\"name\":" + quoted_json(parts.title) + ",";
  append_list(out, "axes", plan.axes().size(), [&](std::size_t axis) {
    append_description(out, plan.axes()[axis].name);
    append_list(out, "values", plan.axes()[axis].values.size(),
                [&](std::size_t i) { out += plan.value_text(axis, static_cast<std::uint32_t>(i)); });
    out += '}';
  });
  out += ',';
  append_list(out, "keys", pairs.size(),
              [&](std::size_t i) { (out += '"') += plan.key(pairs[i].first) + '"'; });
  out += ',';
  append_list(out, "cells", plan.axes().size(), [&](std::size_t axis) {
    out += '[';
    for (std::size_t i = 0; i < pairs.size(); ++i)
      out += (i > 0 ? "," : "") + std::to_string(plan.value_index(pairs[i].first, axis));
    out += ']';
  });
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
    for (Picture& picture : find_pictures(*run)) {
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
  for (const auto& [name, value] : {std::pair<const char*, Json>{"errors", errors},
                                    {"best", nullptr},
                                    {"provenance", provenance},
                                    {"pictures", pictures},
                                    {"options", options}})
    out += fmt::format(",\"{}\":{}", name, value.dump(-1, ' ', false, Json::error_handler_t::replace));
  write_page(path, parts, out += '}', first.fingerprint() + second.fingerprint());
}

}  // namespace imatch
