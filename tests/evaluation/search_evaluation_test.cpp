// SPDX-License-Identifier: Apache-2.0
#include "evaluation/search_evaluation.h"

#include <cmath>
#include <filesystem>
#include "catch.h"

#include "base/file.h"
#include "io/csv.h"
#include "io/json_file.h"
#include "scratch.h"

using namespace imatch;
using testing::Scratch;

namespace {

RetrievedQuery found(std::string name, std::vector<std::int64_t> references) {
  RetrievedQuery q;
  q.name = std::move(name);
  q.references = std::move(references);
  q.scores.assign(q.references.size(), 0.5f);
  q.embed_ms = q.search_ms = std::numeric_limits<double>::quiet_NaN();
  q.total_ms = 4;
  return q;
}

Evaluation small_evaluation() {
  SearchResults results;
  results.group = "found";
  results.weight = "w";
  results.mode = "m";
  results.direction = "q2r";
  results.references = {"r/one.jpg", "r/two.jpg", "r/unknown.jpg"};
  results.queries = {found("q/a.jpg", {1, 0}), found("q/b,\"c\".jpg", {2}), found("q/lost.jpg", {0})};
  PositionTable queries, references;
  queries.add("a.jpg", {46, 8});
  queries.add("b,\"c\".jpg", {46, 8.001});
  references.add("one.jpg", {46, 8});
  references.add("two.jpg", {46.0001, 8});
  LocalizationMetricsOptions options;
  options.recall_k = {1, 2};
  return evaluate_results(results, queries, references, options);
}

}  // namespace

TEST_CASE("Search results are compared by the names of images") {
  const Evaluation evaluation = small_evaluation();
  REQUIRE(evaluation.rows.size() == 3);
  CHECK(evaluation.rows[0].predicted_name == "two.jpg");
  CHECK(evaluation.rows[0].true_reference == "one.jpg");
  CHECK(evaluation.rows[0].outcome.rank == 2);
  CHECK(evaluation.rows[0].outcome.top1_m == Approx(11.12).epsilon(1e-3));
  CHECK_FALSE(evaluation.rows[1].predicted);  // its reference has no position
  CHECK_FALSE(evaluation.rows[2].truth);
  const Json summary = summary_json(evaluation);
  CHECK(summary["num_references"] == 2);
  CHECK(summary["warnings"].size() == 2);
  CHECK(summary["curves"]["hit"][12] == 0.5);
  CHECK(summary["curves"]["latency_ms"]["total"]["count"] == 3);
  CHECK_FALSE(summary["curves"]["latency_ms"].contains("embed"));
  CHECK(summary["curves"]["top_k"][1]["min"] == 0);
}

TEST_CASE("The files of an evaluation agree with each other") {
  const Scratch scratch;
  const std::string folder = scratch / "out";
  const Evaluation evaluation = small_evaluation();
  const Evaluation* const one[] = {&evaluation};
  write_evaluations(folder, one);
  const Json summary = read_json(folder + "/summary.json")["found"],
             details = read_json(folder + "/details.json");
  const CsvTable metrics = read_csv(folder + "/metrics.csv"), rows = read_csv(folder + "/details.csv");
  Json all = summary["label_metrics"];
  for (const Json& metric : summary["metrics"]) all.push_back(metric);
  REQUIRE(metrics.rows.size() == all.size());
  const CsvTable table = read_csv(folder + "/summary.csv");
  REQUIRE(table.rows.size() == 1);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(metrics.rows[i][0] == "found");
    CHECK(metrics.rows[i][1] == all[i]["name"]);
    CHECK(metrics.rows[i][4] == all[i]["definition"]);
    CHECK(table.rows[0].at(table.column(metrics.rows[i][1]).value()) == metrics.rows[i][2]);
    if (i < summary["label_metrics"].size()) CHECK(summary[metrics.rows[i][1]] == all[i]["value"]);
  }
  CHECK(table.rows[0][0] == "found");
  REQUIRE(details.size() == 3);
  REQUIRE(rows.rows.size() == 3);
  CHECK(rows.rows[1].at(rows.column("query").value()) == "q/b,\"c\".jpg");
  CHECK(details[1]["predicted"].is_null());
  CHECK(details[2]["latitude"].is_null());
  CHECK(read_json(folder + "/queries.geojson")["features"].size() == 5);
  CHECK_THAT(read_file(folder + "/queries.kml"), Catch::Contains("<name>q/a.jpg: 11.1 m</name>"));
}

TEST_CASE("x and y of the labels measure beside latitude and longitude, where they are known") {
  SearchResults results;
  results.group = "g";
  results.references = {"r0.jpg", "r1.jpg", "r2.jpg"};
  results.queries = {found("a.jpg", {2, 1}), found("b.jpg", {0}), found("c.jpg", {1})};
  results.queries[0].k = 10;
  PositionTable queries, references;
  queries.add("a.jpg", {46, 8}, PlanePosition{0, 0});
  queries.add("b.jpg", {46, 8});
  references.add("r0.jpg", {46, 8}, PlanePosition{30, 40});
  references.add("r1.jpg", {46.001, 8}, PlanePosition{3, 4});
  references.add("r2.jpg", {46.002, 8});
  const Evaluation evaluation = evaluate_results(results, queries, references, {});
  const EvaluationRow& a = evaluation.rows[0];
  CHECK((a.true_reference == "r0.jpg" && a.true_reference_xy == "r1.jpg"));
  CHECK((a.haversine.rank == 0 && a.xy.rank == 2));
  CHECK((a.xy.reference_m == 5 && a.xy.least_m == 5));
  CHECK(std::isnan(a.xy.top1_m));  // the first found has no x and y
  CHECK((a.k == 10 && evaluation.rows[1].k == 1));
  CHECK((evaluation.rows[1].haversine.rank == 1 && evaluation.rows[1].xy.reference == -1));
  CHECK(evaluation.rows[2].haversine.reference == -1);
  const Scratch scratch;
  const Evaluation* const twice[] = {&evaluation, &evaluation};
  write_evaluations(scratch / "out", twice);
  const Json summary = read_json(scratch / "out/summary.json");
  REQUIRE((summary.contains("g") && summary.contains("g_2")));
  CHECK(summary["g"]["queries"].is_number_integer());
  CHECK((summary["g"]["xy_recall_at_k"] == 1 && summary["g"]["haversine_recall_at_k"] == 0.5));
  CHECK(summary["g"]["xy_top1_mean_m"].is_null());
  const CsvTable rows = read_csv(scratch / "out/details.csv");
  CHECK(rows.rows[1].at(rows.column("xy_rank").value()).empty());
  CHECK(rows.rows[1].at(rows.column("haversine_hit_10m").value()) == "1");
  CHECK(rows.rows[2].at(rows.column("haversine_recall").value()).empty());
  CHECK(std::filesystem::exists(scratch / "out/g_2/queries.kml"));
}
