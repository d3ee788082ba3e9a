// SPDX-License-Identifier: Apache-2.0
#include "sweep/plan.h"

#include <cmath>
#include <set>
#include "catch.h"

#include "base/error.h"
#include "sweep/canonical.h"

using namespace imatch;

namespace {
using Axes = std::vector<Axis>;

Plan example() {
  return Plan({{"backbone", {"sift", "net"}}, {"angle_deg", {0, 45, 90}}, {"match_th", {0.1, 0.5}}});
}
}  // namespace

TEST_CASE("A plan holds every combination, the last axis fastest") {
  const Plan plan = example();
  REQUIRE(plan.size() == 12);
  CHECK(plan.params(0).dump() == R"({"backbone":"sift","angle_deg":0,"match_th":0.1})");
  CHECK(plan.params(1).dump() == R"({"backbone":"sift","angle_deg":0,"match_th":0.5})");
  CHECK(plan.params(11).dump() == R"({"backbone":"net","angle_deg":90,"match_th":0.5})");
  std::set<std::string> keys;
  for (std::size_t cell = 0; cell < plan.size(); ++cell) {
    CHECK(plan.key(cell) == content_key(canonical_json(plan.params(cell))));
    CHECK(plan.find(plan.key(cell)) == static_cast<std::int64_t>(cell));
    keys.insert(plan.key(cell));
  }
  CHECK(keys.size() == 12);
  CHECK(plan.find("no such key") == -1);
}

TEST_CASE("The key of a cell does not depend on the order of the axes, nor on the other values") {
  const Plan a = example();
  const Plan b(Axes{{"match_th", {0.9, 0.5}}, {"backbone", {"net"}}, {"angle_deg", {45.0}}});
  REQUIRE(b.find(a.key(9)) == 1);
  CHECK(canonical_json(b.params(1)) == canonical_json(a.params(9)));
}

TEST_CASE("Equal values count once") {
  const Plan plan(Axes{{"a", {1, 1.0, 2, Json{{"x", 1}, {"y", 2}}, Json{{"y", 2.0}, {"x", 1}}}}});
  CHECK(plan.size() == 3);
}

TEST_CASE("Cells are filtered") {
  Plan plan = example();
  std::vector<bool> wanted(plan.size(), false);
  wanted[3] = wanted[10] = true;
  const std::string third = plan.key(3), tenth = plan.key(10);
  plan.keep(wanted);
  REQUIRE(plan.size() == 2);
  CHECK(plan.key(0) == third);
  CHECK(plan.key(1) == tenth);
  CHECK(plan.find(tenth) == 1);
  CHECK(plan.params(1).dump() == R"({"backbone":"net","angle_deg":90,"match_th":0.1})");
}

TEST_CASE("A changed input changes the key of its cell, and of no other") {
  Plan plan = example();
  const std::string before = plan.key(4), neighbour = plan.key(5);
  plan.set_inputs(4, "hash of a.jpg");
  const std::string once = plan.key(4);
  CHECK(once != before);
  plan.set_inputs(4, "another hash");
  CHECK(plan.key(4) != once);
  CHECK(plan.key(5) == neighbour);
  CHECK(plan.find(before) == -1);
}

TEST_CASE("Axes that make no plan are refused by name") {
  CHECK_THROWS_WITH(Plan(Axes{}), Catch::Contains("axes"));
  CHECK_THROWS_WITH(Plan(Axes{{"a", {}}}), Catch::Contains("axes.a: no values"));
  CHECK_THROWS_WITH(Plan(Axes{{"a", {1}}, {"a", {2}}}), Catch::Contains("axes.a: given twice"));
  CHECK_THROWS_WITH(Plan(Axes{{"a", {1, std::nan("")}}}), Catch::Contains("axes.a[2]"));
  CHECK_THROWS_WITH(Plan(Axes{{"status", {1}}}), Catch::Contains("axes.status"));
  std::vector<Json> many(4000);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = i;
  CHECK_THROWS_WITH(Plan(Axes{{"a", many}, {"b", many}}), Catch::Contains("10000000"));
}

TEST_CASE("plan.csv quotes what has to be quoted") {
  const Plan plan(Axes{{"name, long", {"say \"hi\"", Json{{"a", 1}}, "two\nlines", true}}});
  const std::string csv = plan.csv();
  CHECK(csv.find("cell_key,\"name, long\"\n") == 0);
  CHECK(csv.find(",\"say \"\"hi\"\"\"\n") != std::string::npos);
  CHECK(csv.find(",\"{\"\"a\"\":1}\"\n") != std::string::npos);
  CHECK(csv.find(",\"two\nlines\"\n") != std::string::npos);
  CHECK(csv.find(",true\n") != std::string::npos);
}
