// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/file.h"
#include "base/progress.h"
#include "evaluation/placed_query.h"
#include "evaluation/search_evaluation.h"
#include "io/csv.h"
#include "io/json_file.h"

namespace imatch {
namespace {

/// JSON's and CSV's way to say that there is no number.
Json number(double value) {
  return std::isnan(value) ? Json(nullptr) : Json(value);
}
std::string text(double value) {
  return std::isnan(value) ? "" : fmt::format("{}", value);
}

constexpr std::array kColumns{"query",
                              "latitude",
                              "longitude",
                              "predicted_latitude",
                              "predicted_longitude",
                              "predicted",
                              "score",
                              "top1_m",
                              "least_m",
                              "rank",
                              "first_right_rank",
                              "num_positives",
                              "average_precision",
                              "true_reference",
                              "true_reference_m",
                              "embed_ms",
                              "search_ms",
                              "total_ms"};

/// The cells of a row, in the order of kColumns.
std::vector<Json> cells(const EvaluationRow& row) {
  const auto latitude = [](const std::optional<LatLon>& p) {
    return p ? Json(p->latitude_deg) : Json(nullptr);
  };
  const auto longitude = [](const std::optional<LatLon>& p) {
    return p ? Json(p->longitude_deg) : Json(nullptr);
  };
  const auto rank = [](std::int64_t r) { return r > 0 ? Json(r) : Json(nullptr); };
  const auto name = [](const std::string& s) { return s.empty() ? Json(nullptr) : Json(s); };
  const QueryOutcome& o = row.outcome;
  return {row.query,
          latitude(row.truth),
          longitude(row.truth),
          latitude(row.predicted),
          longitude(row.predicted),
          name(row.predicted_name),
          number(row.score),
          number(o.top1_m),
          number(o.least_m),
          rank(o.rank),
          rank(o.first_right_rank),
          o.num_positives,
          number(o.average_precision),
          name(row.true_reference),
          number(o.true_reference_m),
          number(row.embed_ms),
          number(row.search_ms),
          number(row.total_ms)};
}

std::string cell_text(const Json& cell) {
  if (cell.is_null()) return "";
  return cell.is_string() ? cell.get<std::string>() : cell.dump();
}

void write_details(const std::string& folder, const Evaluation& evaluation) {
  std::string csv = csv_row({kColumns.begin(), kColumns.end()}), json = "[";
  std::vector<std::string> fields(kColumns.size());
  Progress progress("write", "rows", evaluation.rows.size());
  for (const EvaluationRow& row : evaluation.rows) {
    progress.advance();
    const std::vector<Json> values = cells(row);
    Json object = Json::object();
    for (std::size_t i = 0; i < values.size(); ++i) {
      fields[i] = cell_text(values[i]);
      object[kColumns[i]] = values[i];
    }
    csv += csv_row(fields);
    json += json.size() == 1 ? "\n" : ",\n";
    json += object.dump();
  }
  write_file_atomically(folder + "/details.csv", csv);
  write_file_atomically(folder + "/details.json", json + "\n]\n");
}

std::vector<PlacedQuery> placed(const Evaluation& evaluation) {
  std::vector<PlacedQuery> list;
  for (const EvaluationRow& row : evaluation.rows)
    list.push_back(
        {row.query, row.truth, row.predicted, row.predicted_name, row.outcome.top1_m, Json::object()});
  return list;
}

}  // namespace

Json summary_json(const Evaluation& evaluation) {
  return {{"weight", evaluation.weight},
          {"mode", evaluation.mode},
          {"direction", evaluation.direction},
          {"num_references", evaluation.num_references},
          {"metrics", to_json(evaluation.scores.metrics)},
          {"warnings", evaluation.scores.warnings},
          {"curves", evaluation.curves}};
}

void write_evaluation(const std::string& folder, const Evaluation& evaluation) {
  make_folder(folder);
  write_json(folder + "/summary.json", summary_json(evaluation));
  std::string csv = csv_row({"name", "value", "unit", "definition"});
  for (const MetricValue& metric : evaluation.scores.metrics)
    csv += csv_row({metric.name, text(metric.value), metric.unit, metric.definition});
  write_file_atomically(folder + "/summary.csv", csv);
  write_details(folder, evaluation);
  const std::vector<PlacedQuery> queries = placed(evaluation);
  write_geojson(folder + "/queries.geojson", queries);
  write_kml(folder + "/queries.kml", queries);
}

}  // namespace imatch
