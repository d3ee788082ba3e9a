// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <unordered_set>

#include "base/file.h"
#include "base/progress.h"
#include "evaluation/placed_query.h"
#include "evaluation/search_evaluation.h"
#include "io/csv.h"
#include "io/json_file.h"

namespace imatch {
namespace {

/// JSON's way to say that there is no number.
Json number_or_null(double value) {
  return std::isnan(value) ? Json(nullptr) : Json(value);
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

/// A count is a whole number.
Json value_of(const MetricValue& metric) {
  return metric.better || std::isnan(metric.value) ? number_or_null(metric.value)
                                                   : Json(static_cast<std::int64_t>(metric.value));
}

std::string cell_text(const Json& cell) {
  if (cell.is_null()) return "";
  return cell.is_string() ? cell.get<std::string>() : cell.dump();
}

/// An evaluation with the name that it has among those written together.
struct NamedGroup {
  std::string name;
  const Evaluation& evaluation;
};

std::vector<NamedGroup> named(std::span<const Evaluation* const> evaluations) {
  std::vector<NamedGroup> groups;
  std::unordered_set<std::string> taken;
  for (const Evaluation* evaluation : evaluations) {
    std::string name = evaluation->group;
    for (int i = 2; !taken.insert(name).second; ++i) name = fmt::format("{}_{}", evaluation->group, i);
    groups.push_back({std::move(name), *evaluation});
  }
  return groups;
}

/// A column of the details.
struct Column {
  std::string name;
  std::function<Json(const NamedGroup&, const EvaluationRow&)> cell;
};

using Outcome = NearestReference EvaluationRow::*;
using Metres = double NearestReference::*;

Column metres_column(const char* name, Outcome outcome, Metres metres) {
  return {name,
          [=](const NamedGroup&, const EvaluationRow& row) { return number_or_null(row.*outcome.*metres); }};
}

Column number_column(const char* name, double EvaluationRow::*member) {
  return {name, [=](const NamedGroup&, const EvaluationRow& row) { return number_or_null(row.*member); }};
}

Column text_column(const char* name, std::string EvaluationRow::*member) {
  return {name, [=](const NamedGroup&, const EvaluationRow& row) { return text_or_null(row.*member); }};
}

Column outcome_column(const char* name, double QueryOutcome::*member) {
  return {name,
          [=](const NamedGroup&, const EvaluationRow& row) { return number_or_null(row.outcome.*member); }};
}

Column rank_column(const char* name, std::function<std::int64_t(const EvaluationRow&)> rank) {
  return {name, [rank = std::move(rank)](const NamedGroup&, const EvaluationRow& row) {
            const std::int64_t place = rank(row);
            return place > 0 ? Json(place) : Json(nullptr);
          }};
}

/// Whether the nearest reference was found: 1 or 0.
Column recall_column(const char* name, Outcome outcome) {
  return {name, [=](const NamedGroup&, const EvaluationRow& row) {
            const NearestReference& nearest = row.*outcome;
            return nearest.reference < 0 ? Json(nullptr) : Json(nearest.rank > 0 ? 1 : 0);
          }};
}

Column degrees_column(const char* name, std::optional<LatLon> EvaluationRow::*position,
                      double LatLon::*degrees) {
  return {name, [=](const NamedGroup&, const EvaluationRow& row) {
            const auto& at = row.*position;
            return at ? Json((*at).*degrees) : Json(nullptr);
          }};
}

/// First those that scripts know, then more.
std::vector<Column> columns_of(const std::vector<double>& hit_m) {
  using Row = EvaluationRow;
  using Nearest = NearestReference;
  std::vector<Column> columns{
      {"group", [](const NamedGroup& group, const Row&) { return Json(group.name); }},
      {"query", [](const NamedGroup&, const Row& row) { return Json(row.query); }},
      text_column("json", &Row::file),
      {"topk", [](const NamedGroup&, const Row& row) { return Json(row.k); }},
      text_column("gt_haversine", &Row::true_reference),
      metres_column("gt_haversine_m", &Row::haversine, &Nearest::reference_m),
      text_column("gt_xy", &Row::true_reference_xy),
      metres_column("gt_xy_m", &Row::xy, &Nearest::reference_m),
      rank_column("haversine_rank", [](const Row& row) { return row.haversine.rank; }),
      rank_column("xy_rank", [](const Row& row) { return row.xy.rank; }),
      recall_column("haversine_recall", &Row::haversine),
      recall_column("xy_recall", &Row::xy),
      metres_column("haversine_top1_m", &Row::haversine, &Nearest::top1_m),
      metres_column("xy_top1_m", &Row::xy, &Nearest::top1_m),
      metres_column("haversine_min_topk_m", &Row::haversine, &Nearest::least_m),
      metres_column("xy_min_topk_m", &Row::xy, &Nearest::least_m),
      number_column("top1_score", &Row::score),
      number_column("embed_ms", &Row::embed_ms),
      number_column("search_ms", &Row::search_ms),
      number_column("total_ms", &Row::total_ms),
      number_column("index_build_ms", &Row::index_build_ms)};
  for (const double limit : hit_m)
    columns.push_back({fmt::format("haversine_hit_{:g}m", limit), [limit](const NamedGroup&, const Row& row) {
                         const bool is_known = row.haversine.reference >= 0;
                         return is_known ? Json(row.haversine.least_m <= limit ? 1 : 0) : Json(nullptr);
                       }});
  const std::vector<Column> more{
      degrees_column("latitude", &Row::truth, &LatLon::latitude_deg),
      degrees_column("longitude", &Row::truth, &LatLon::longitude_deg),
      degrees_column("predicted_latitude", &Row::predicted, &LatLon::latitude_deg),
      degrees_column("predicted_longitude", &Row::predicted, &LatLon::longitude_deg),
      text_column("predicted", &Row::predicted_name),
      number_column("score", &Row::score),
      outcome_column("top1_m", &QueryOutcome::top1_m),
      outcome_column("least_m", &QueryOutcome::least_m),
      rank_column("rank", [](const Row& row) { return row.outcome.rank; }),
      rank_column("first_right_rank", [](const Row& row) { return row.outcome.first_right_rank; }),
      {"num_positives", [](const NamedGroup&, const Row& row) { return Json(row.outcome.num_positives); }},
      outcome_column("average_precision", &QueryOutcome::average_precision),
      text_column("true_reference", &Row::true_reference),
      outcome_column("true_reference_m", &QueryOutcome::true_reference_m)};
  columns.insert(columns.end(), more.begin(), more.end());
  return columns;
}

/// The distances of every group, ascending.
std::vector<double> hit_distances(const std::vector<NamedGroup>& groups) {
  std::vector<double> all;
  for (const NamedGroup& group : groups)
    all.insert(all.end(), group.evaluation.hit_m.begin(), group.evaluation.hit_m.end());
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

void write_details(const std::string& folder, const std::vector<NamedGroup>& groups) {
  const std::vector<Column> columns = columns_of(hit_distances(groups));
  std::vector<std::string> header, keys, fields(columns.size());
  for (const Column& column : columns) {
    header.push_back(column.name);
    keys.push_back(fmt::format("{}{}:", keys.empty() ? "" : ",", Json(column.name).dump()));
  }
  std::string csv = csv_row(header), json = "[";
  for (const NamedGroup& group : groups) {
    Progress progress("write", "rows", group.evaluation.rows.size());
    for (const EvaluationRow& row : group.evaluation.rows) {
      progress.advance();
      json += json.size() == 1 ? "\n{" : ",\n{";
      for (std::size_t i = 0; i < columns.size(); ++i) {
        const Json cell = columns[i].cell(group, row);
        const std::string text = json_text(cell, -1);
        fields[i] = cell.is_null() ? "" : cell.is_string() ? cell.get<std::string>() : text;
        json += keys[i];
        json += text;
      }
      json += '}';
      csv += csv_row(fields);
    }
  }
  write_file_atomically(folder + "/details.csv", csv);
  write_file_atomically(folder + "/details.json", json + "\n]\n");
}

/// What a group says of itself: label metrics, where it comes from, and the other metrics, each once.
Json summary_row(const NamedGroup& group) {
  const Evaluation& evaluation = group.evaluation;
  Json row{{"group", group.name}};
  for (const MetricValue& metric : evaluation.label_metrics) row[metric.name] = value_of(metric);
  row["weight"] = evaluation.weight;
  row["mode"] = evaluation.mode;
  row["direction"] = evaluation.direction;
  row["num_references"] = evaluation.num_references;
  for (const MetricValue& metric : evaluation.scores.metrics)
    if (!row.contains(metric.name)) row[metric.name] = value_of(metric);
  return row;
}

void write_summary_table(const std::string& path, const std::vector<NamedGroup>& groups) {
  std::vector<Json> rows;
  CsvTable table;
  for (const NamedGroup& group : groups) {
    rows.push_back(summary_row(group));
    for (const auto& [name, value] : rows.back().items())
      if (!table.column(name)) table.header.push_back(name);
  }
  for (const Json& row : rows) {
    std::vector<std::string>& fields = table.rows.emplace_back();
    for (const std::string& name : table.header)
      fields.push_back(row.contains(name) ? cell_text(row[name]) : "");
  }
  write_csv(path, table);
}

void write_metric_table(const std::string& path, const std::vector<NamedGroup>& groups) {
  CsvTable table{{"group", "name", "value", "unit", "definition"}, {}};
  for (const NamedGroup& group : groups)
    for (const auto* list : {&group.evaluation.label_metrics, &group.evaluation.scores.metrics})
      for (const MetricValue& metric : *list)
        table.rows.push_back(
            {group.name, metric.name, cell_text(value_of(metric)), metric.unit, metric.definition});
  write_csv(path, table);
}

void write_places(const std::string& folder, const Evaluation& evaluation) {
  std::vector<PlacedQuery> list;
  for (const EvaluationRow& row : evaluation.rows)
    list.push_back(
        {row.query, row.truth, row.predicted, row.predicted_name, row.outcome.top1_m, Json::object()});
  write_geojson(folder + "/queries.geojson", list);
  write_kml(folder + "/queries.kml", list);
}

}  // namespace

Json summary_json(const Evaluation& evaluation) {
  return {{"group", evaluation.group},
          {"weight", evaluation.weight},
          {"mode", evaluation.mode},
          {"direction", evaluation.direction},
          {"num_references", evaluation.num_references},
          {"metrics", to_json(evaluation.scores.metrics)},
          {"label_metrics", to_json(evaluation.label_metrics)},
          {"warnings", evaluation.scores.warnings},
          {"curves", evaluation.curves}};
}

void write_evaluations(const std::string& folder, std::span<const Evaluation* const> evaluations) {
  const std::vector<NamedGroup> groups = named(evaluations);
  make_folder(folder);
  Json summary = Json::object();
  for (const NamedGroup& group : groups) {
    Json& said = summary[group.name];
    for (const MetricValue& metric : group.evaluation.label_metrics) said[metric.name] = value_of(metric);
    said.update(summary_json(group.evaluation));
    said.erase("group");
  }
  write_json(folder + "/summary.json", summary);
  write_summary_table(folder + "/summary.csv", groups);
  write_metric_table(folder + "/metrics.csv", groups);
  write_details(folder, groups);
  for (const NamedGroup& group : groups) {
    const std::string places = groups.size() == 1 ? folder : fmt::format("{}/{}", folder, group.name);
    make_folder(places);
    write_places(places, group.evaluation);
  }
}

}  // namespace imatch
