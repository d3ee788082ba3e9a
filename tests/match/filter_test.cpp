// SPDX-License-Identifier: Apache-2.0
#include "match/filter.h"

#include "catch.h"

#include "base/error.h"

using namespace imatch;

namespace {

Matches four() {
  Matches m;
  m.idx_a = {4, 3, 2, 1};
  m.idx_b = {5, 6, 7, 8};
  m.similarity = {0.9f, 0.7f, 0.5f, 0.1f};
  m.points_a = {{1, 2}, {3, 4}, {5, 6}, {7, 8}};
  m.points_b = {{10, 20}, {30, 40}, {50, 60}, {70, 80}};
  m.n_a = 100;
  m.rows_a = m.cols_a = 10;
  return m;
}

}  // namespace

TEST_CASE("filter narrows by threshold, share of the best and number") {
  CHECK(filter(four(), {}).size() == 4);
  CHECK(filter(four(), {.match_th = 0.5}).idx_a == std::vector<std::int32_t>{4, 3, 2});
  CHECK(filter(four(), {.line_th = 0.6}).idx_b == std::vector<std::int32_t>{5, 6});
  CHECK(filter(four(), {.max_matches = 1}).points_b[0].y == 20);
  CHECK(filter(four(), {.match_th = 0.95}).size() == 0);
  CHECK(filter(four(), {.max_matches = 0}).n_a == 100);
  CHECK(filter(Matches{}, {.match_th = 0.5}).size() == 0);
}

TEST_CASE("subset keeps flagged matches with all their columns") {
  const std::vector<std::uint8_t> keep{0, 1, 0, 1};
  const Matches m = subset(four(), keep);
  CHECK(m.idx_a == std::vector<std::int32_t>{3, 1});
  CHECK(m.idx_b == std::vector<std::int32_t>{6, 8});
  CHECK(m.similarity == std::vector<float>{0.7f, 0.1f});
  CHECK(m.points_a[1].x == 7);
  CHECK_THROWS_WITH(subset(four(), std::vector<std::uint8_t>{1}),
                    "mask: 1 flags for 4 matches; expected one for each");
}

TEST_CASE("matches as a table") {
  const Json counts = to_json(four(), false);
  CHECK(counts["num_matches"] == 4);
  CHECK(counts["grid_a"]["cols"] == 10);
  CHECK_FALSE(counts.contains("idx_a"));
  const Json all = to_json(four(), true);
  CHECK(all["idx_a"] == Json{4, 3, 2, 1});
  CHECK(all["points_b"][2] == Json{50, 60});
}
