// SPDX-License-Identifier: Apache-2.0
#include "evaluation/homography_score.h"

#include <cmath>
#include <limits>
#include "catch.h"

#include "base/error.h"
#include "match/filter.h"

using namespace imatch;

namespace {

const Homography kShift{{1, 0, 30, 0, 1, -40, 0, 0, 1}};

/// 5 x 4 grid of 20 px cells, image 100 x 80; four matches with errors 0, 3, 5 and 30 px under kShift.
Matches shifted() {
  Matches m;
  m.points_a = {{10, 50}, {30, 50}, {50, 50}, {50, 70}};
  m.points_b = {{40, 10}, {63, 10}, {83, 14}, {80, 60}};
  m.idx_a = {10, 11, 12, 17};
  m.idx_b = {0, 1, 2, 3};
  m.similarity = {0.9f, 0.8f, 0.7f, 0.6f};
  m.n_a = m.n_b = 20;
  m.rows_a = m.rows_b = 4;
  m.cols_a = m.cols_b = 5;
  m.cell_a_px = m.cell_b_px = 20;
  m.width_a = m.width_b = 100;
  m.height_a = m.height_b = 80;
  m.original_from_grid_a = {{20, 0, 0, 0, 20, 0}};
  return m;
}

Geometry geometry_of(std::optional<Homography> h, std::size_t matches, int inliers) {
  Geometry g;
  g.b_from_a = h;
  g.inliers.assign(matches, 0);
  for (int k = 0; k < inliers; ++k) g.inliers[k] = 1;
  g.num_inliers = inliers;
  return g;
}

}  // namespace

TEST_CASE("matches and model are scored against the truth") {
  const HomographyScore s = score(shifted(), geometry_of(kShift, 4, 3), kShift);
  CHECK(s.num_matches == 4);
  CHECK(s.num_inliers == 3);
  CHECK(s.inlier_ratio == 0.75);
  CHECK(s.num_correct == 3);
  CHECK(s.precision == 0.75);
  CHECK(s.mma == std::vector<double>{0.25, 0.5, 0.75, 0.75});
  CHECK(s.corner_error_px == 0);
  // Token centres x = 10..90 move by 30, y = 10..70 by -40: x <= 100 leaves 4 columns, y >= 0 leaves 2 rows.
  CHECK(s.num_possible == 8);
  CHECK(s.has_model);
  CHECK(score(shifted(), geometry_of(kShift, 4, 3), kShift, {.cell_px = 3}).num_correct == 2);
}

TEST_CASE("corner error is the mean over the corners of a, at most the diagonal of b") {
  const double diagonal = std::hypot(100, 80);
  const auto error = [&](std::optional<Homography> h) {
    return score(shifted(), geometry_of(h, 4, 0), kShift).corner_error_px;
  };
  CHECK(error(Homography{{1, 0, 33, 0, 1, -36, 0, 0, 1}}) == Approx(5));
  // Twice as wide: the two right corners move by 100.
  CHECK(error(Homography{{2, 0, 30, 0, 1, -40, 0, 0, 1}}) == Approx(50));
  CHECK(error(Homography{{1, 0, 3000, 0, 1, 0, 0, 0, 1}}) == Approx(diagonal));
  CHECK(error(Homography{{1, 0, 30, 0, 1, -40, -0.02, 0, 1}}) ==
        Approx(diagonal));  // right corners beyond the horizon
  CHECK(error(std::nullopt) == Approx(diagonal));
}

TEST_CASE("no matches score zero") {
  const Matches none = subset(shifted(), std::vector<std::uint8_t>(4, 0));
  const HomographyScore s = score(none, geometry_of(std::nullopt, 0, 0), kShift);
  CHECK(s.precision == 0);
  CHECK(s.inlier_ratio == 0);
  CHECK(s.mma == std::vector<double>{0, 0, 0, 0});
  CHECK_FALSE(s.has_model);
}

TEST_CASE("the truth may have any scale, but must see image a") {
  Homography negative = kShift;
  for (double& value : negative.m) value *= -2;
  CHECK(score(shifted(), geometry_of(kShift, 4, 3), negative).num_correct == 3);
  CHECK(score(shifted(), geometry_of(kShift, 4, 3), negative).corner_error_px == Approx(0).margin(1e-12));
  CHECK_THROWS_WITH(score(shifted(), geometry_of(kShift, 4, 3), {{1, 0, 0, 0, 1, 0, -0.02, 0, 1}}),
                    Catch::Contains("(100, 0)") && Catch::Contains("horizon"));
  CHECK_THROWS_AS(score(shifted(), geometry_of(kShift, 4, 3), {{std::nan(""), 0, 0, 0, 1, 0, 0, 0, 1}}),
                  Error);
  CHECK_THROWS_WITH(score(shifted(), geometry_of(kShift, 3, 3), kShift),
                    "geometry: it is of 3 matches, not of these 4");
}

TEST_CASE("area under the curve of errors") {
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<double> thresholds{1, 3, 5, 10};
  const auto auc = [&](std::vector<double> errors) { return error_auc(errors, thresholds); };
  CHECK(auc({0, 0, 0}) == std::vector<double>{1, 1, 1, 1});
  CHECK(auc({inf, inf}) == std::vector<double>{0, 0, 0, 0});
  CHECK(auc({}) == std::vector<double>{0, 0, 0, 0});
  // One error of 2 of one: the share rises linearly to 1 at 2, then stays.
  CHECK(auc({2})[0] == 0);
  CHECK(auc({2})[1] == Approx((1.0 + 1.0) / 3));
  CHECK(auc({2, inf})[3] == Approx((2 * 0.25 + 8 * 0.5) / 10));
  CHECK_THROWS_AS(auc({-1}), Error);
  CHECK_THROWS_AS(auc({std::nan("")}), Error);
  CHECK_THROWS_AS(error_auc(std::vector<double>{1}, std::vector<double>{0}), Error);
}

TEST_CASE("a score as a table") {
  const Json table = to_json(score(shifted(), geometry_of(kShift, 4, 3), kShift, {.mma_px = {1, 2.5}}));
  CHECK(table["mma_1px"] == 0.25);
  CHECK(table["mma_2.5px"] == 0.25);
  CHECK(table["precision"] == 0.75);
  CHECK(table["has_model"] == true);
}
