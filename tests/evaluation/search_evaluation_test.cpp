// SPDX-License-Identifier: Apache-2.0
#include "evaluation/search_evaluation.h"

#include <cmath>
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
  write_evaluation(folder, small_evaluation());
  const Json summary = read_json(folder + "/summary.json"), details = read_json(folder + "/details.json");
  const CsvTable csv = read_csv(folder + "/summary.csv"), rows = read_csv(folder + "/details.csv");
  REQUIRE(csv.rows.size() == summary["metrics"].size());
  for (std::size_t i = 0; i < csv.rows.size(); ++i) {
    CHECK(csv.rows[i][0] == summary["metrics"][i]["name"]);
    CHECK(csv.rows[i][3] == summary["metrics"][i]["definition"]);
  }
  REQUIRE(details.size() == 3);
  REQUIRE(rows.rows.size() == 3);
  CHECK(rows.rows[1][0] == "q/b,\"c\".jpg");
  CHECK(details[1]["predicted"].is_null());
  CHECK(details[2]["latitude"].is_null());
  CHECK(read_json(folder + "/queries.geojson")["features"].size() == 5);
  CHECK_THAT(read_file(folder + "/queries.kml"), Catch::Contains("<name>q/a.jpg: 11.1 m</name>"));
}
