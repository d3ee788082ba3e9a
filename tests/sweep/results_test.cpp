// SPDX-License-Identifier: Apache-2.0
#include "sweep/results.h"

#include <cmath>
#include <limits>
#include "catch.h"

#include "base/error.h"
#include "sweep/best.h"

using namespace imatch;

namespace {

using Axes = std::vector<Axis>;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

CellRecord record_of(const Plan& plan, std::size_t cell, Json metrics, double time_ms = 1) {
  CellRecord record;
  record.key = plan.key(cell);
  record.params = plan.params(cell);
  record.metrics = std::move(metrics);
  record.time_ms = time_ms;
  record.time_spent_ms = time_ms / 2;
  return record;
}

CellRecord failure_of(const Plan& plan, std::size_t cell, std::string message) {
  CellRecord record = record_of(plan, cell, Json::object());
  record.ok = false;
  record.error = std::move(message);
  record.traceback = "stack traceback: ...";
  return record;
}

}  // namespace

TEST_CASE("A record reads back as it was written") {
  const Plan plan(Axes{{"a", {1}}});
  CellRecord record = record_of(plan, 0,
                                {{"n", 3},
                                 {"far", kInfinity},
                                 {"near", -kInfinity},
                                 {"none", std::nan("")},
                                 {"list", {1, kInfinity}},
                                 {"text", "<\"\xc3\xa9>"},
                                 {"yes", true}},
                                0.1);
  record.seed = (std::int64_t{1} << 52) - 1;
  record.worker = "host-1";
  record.started = "2026-01-01T00:00:00.000Z";
  const CellRecord back = parse_cell(to_text(record), "x.json");
  CHECK(back.key == record.key);
  CHECK(back.seed == record.seed);
  CHECK(back.time_ms == 0.1);
  CHECK(back.metrics["n"] == 3);
  CHECK(back.metrics["far"].get<double>() == kInfinity);
  CHECK(back.metrics["near"].get<double>() == -kInfinity);
  CHECK(std::isnan(back.metrics["none"].get<double>()));
  CHECK(back.metrics["list"][1].get<double>() == kInfinity);
  CHECK(back.metrics["text"] == record.metrics["text"]);
  CHECK(back.metrics["yes"] == true);
  CHECK(to_text(back) == to_text(record));

  const CellRecord failed = parse_cell(to_text(failure_of(plan, 0, "bad \xff byte")), "x.json");
  CHECK_FALSE(failed.ok);
  CHECK(failed.error == "bad \xef\xbf\xbd byte");
}

TEST_CASE("A truncated or foreign record is a failure that names the file") {
  const Plan plan(Axes{{"a", {1}}});
  const std::string text = to_text(record_of(plan, 0, {{"n", 3}}));
  for (std::size_t length = 0; length + 2 < text.size(); length += 7)
    CHECK_THROWS_AS(parse_cell(text.substr(0, length), "x.json"), Failure);
  CHECK_THROWS_WITH(parse_cell("[]", "cells/x.json"), Catch::Contains("cells/x.json"));
  CHECK_THROWS_AS(parse_cell(std::string(100, '\0'), "x.json"), Failure);
}

TEST_CASE("Tables are in the order of the plan, whatever the order of the results") {
  const Plan plan(Axes{{"a", {1, 2}}, {"b", {"x,y", "z"}}});
  ResultTable forward(plan.size()), backward(plan.size());
  const auto fill = [&](ResultTable& table, std::size_t cell) {
    if (cell == 2)
      table.set(cell, failure_of(plan, cell, "no \"match\"\nsecond line"));
    else
      table.set(cell, record_of(plan, cell,
                                {{"score", 0.5 + static_cast<double>(cell)},
                                 {"error_px", cell == 3 ? kInfinity : 2.0}}));
  };
  for (std::size_t cell : {0, 1, 2, 3}) fill(forward, cell);
  for (std::size_t cell : {3, 2, 1, 0}) fill(backward, cell);
  backward.set(1, failure_of(plan, 1, "replaced"));
  fill(backward, 1);
  CHECK(forward.csv(plan) == backward.csv(plan));
  CHECK(forward.jsonl(plan) == backward.jsonl(plan));
  CHECK(backward.num_ok() == 3);
  CHECK(backward.num_failed() == 1);

  const std::string expected =
      "cell_key,a,b,error_px,score,time_ms,time_spent_ms,status,error\n" + plan.key(0) +
      ",1,\"x,y\",2,0.5,1,0.5,ok,\n" + plan.key(1) + ",1,z,2,1.5,1,0.5,ok,\n" + plan.key(2) +
      ",2,\"x,y\",,,1,0.5,failed,\"no \"\"match\"\"\"\n" + plan.key(3) + ",2,z,inf,3.5,1,0.5,ok,\n";
  CHECK(forward.csv(plan) == expected);
  CHECK(forward.failed_csv(plan) ==
        "cell_key,a,b,error\n" + plan.key(2) + ",2,\"x,y\",\"no \"\"match\"\"\"\n");

  std::istringstream lines(forward.jsonl(plan));
  std::vector<Json> rows;
  for (std::string line; std::getline(lines, line);) rows.push_back(Json::parse(line));
  REQUIRE(rows.size() == 4);
  CHECK(rows[3]["error_px"].is_null());
  CHECK(rows[2]["error"] == "no \"match\"\nsecond line");
  CHECK(rows[1]["score"] == 1.5);
}

TEST_CASE("A measured time replaces the time of the cell") {
  const Plan plan(Axes{{"a", {1}}});
  ResultTable table(1);
  table.set(0, record_of(plan, 0, {{"time_ms", 7.5}, {"n", 1}}, 100));
  CHECK(table.time_ms(0) == 7.5);
  CHECK(table.metrics() == std::vector<std::string>{"n"});
  CHECK(table.get(0, "time_ms").number == 7.5);
  CHECK(table.get(0, "time_spent_ms").number == 50);
}

TEST_CASE("Metrics cannot take the name of an axis or of a fixed column") {
  const Plan plan(Axes{{"a", {1}}});
  CHECK_THROWS_WITH(check_metric_names({{"a", 1}}, plan), Catch::Contains("'a'"));
  CHECK_THROWS_WITH(check_metric_names({{"status", 1}}, plan), Catch::Contains("'status'"));
  CHECK_NOTHROW(check_metric_names({{"b", 1}, {"time_ms", 2}}, plan));
}

TEST_CASE("Groups have the mean, standard deviation and median of NumPy") {
  // numpy: x = [1, 2, 4, 8]; x.mean(), x.std(ddof=1), median(x)
  const Plan plan(Axes{{"th", {0.1, 0.2}}, {"place", {0, 1, 2, 3}}});
  ResultTable table(plan.size());
  const double x[] = {1, 2, 4, 8};
  for (std::size_t i = 0; i < 4; ++i) table.set(i, record_of(plan, i, {{"e", x[i]}}));
  table.set(4, failure_of(plan, 4, "lost"));
  table.set(5, record_of(plan, 5, {{"e", kInfinity}}));
  table.set(6, record_of(plan, 6, {{"e", 0.5}}));
  const auto groups = group_by(plan, table, "e", {"th"});
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].mean == 3.75);
  CHECK(groups[0].std == Approx(3.095695936834452));
  CHECK(groups[0].median == 3);
  CHECK(groups[0].num_missing() == 0);
  CHECK(groups[1].num_cells == 3);
  CHECK(groups[1].num_missing() == 2);
  CHECK(groups[1].mean == 0.5);
  CHECK_THROWS_WITH(group_by(plan, table, "e", {"plce"}), Catch::Contains("did you mean 'place'"));
}

TEST_CASE("A setting does not win by its few good cells") {
  const Plan plan(Axes{{"th", {0.1, 0.2}}, {"place", {0, 1, 2}}});
  ResultTable table(plan.size());
  for (std::size_t i = 0; i < 3; ++i) table.set(i, record_of(plan, i, {{"e", 5.0}}));
  table.set(3, record_of(plan, 3, {{"e", 0.1}}));
  table.set(4, record_of(plan, 4, {{"e", kInfinity}}));
  table.set(5, failure_of(plan, 5, "lost"));
  BestOptions options;
  options.metric = "e";
  options.over = {"place"};
  for (const char* statistic : {"mean", "median"}) {
    options.statistic = statistic;
    const Json best = select_best(plan, table, options);
    CHECK(best["cell"]["cell_key"] == plan.key(3));
    CHECK(best["setting"]["params"].dump() == R"({"th":0.1})");
    CHECK(best["setting"]["num_cells"] == 3);
  }
  options.direction = "max";
  CHECK(select_best(plan, table, options)["cell"]["cell_key"] == plan.key(0));
  options.metric = "ee";
  CHECK_THROWS_WITH(select_best(plan, table, options), Catch::Contains("did you mean 'e'"));
}

TEST_CASE("Of equals the first in the plan is best, and infinite cells rank last") {
  const Plan plan(Axes{{"a", {3, 1, 2, 4}}});
  ResultTable table(plan.size());
  table.set(0, record_of(plan, 0, {{"e", kInfinity}}));
  table.set(1, record_of(plan, 1, {{"e", 2}}));
  table.set(2, record_of(plan, 2, {{"e", 1}}));
  table.set(3, record_of(plan, 3, {{"e", 1}}));
  CHECK(rank_cells(table, "e", true) == std::vector<std::size_t>{2, 3, 1, 0});
  CHECK(rank_cells(table, "e", false) == std::vector<std::size_t>{1, 2, 3, 0});
}

TEST_CASE("A row has parameters, metrics and what became of the cell") {
  const Plan plan(Axes{{"a", {1, 2, 3}}});
  ResultTable table(plan.size());
  table.set(0, record_of(plan, 0, {{"e", 2.5}}, 7));
  table.set(1, failure_of(plan, 1, "lost"));
  CHECK(result_row(plan, table, 0) == Json{{"a", 1},
                                           {"e", 2.5},
                                           {"time_ms", 7.0},
                                           {"time_spent_ms", 3.5},
                                           {"cell_key", plan.key(0)},
                                           {"status", "ok"}});
  CHECK(result_row(plan, table, 1)["error"] == "lost");
  CHECK(result_row(plan, table, 2)["status"] == "pending");
}
