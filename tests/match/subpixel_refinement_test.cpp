// SPDX-License-Identifier: Apache-2.0
#include "match/subpixel_refinement.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>

#include <cmath>
#include "catch.h"

#include "base/error.h"
#include "match/nearest.h"

using namespace imatch;

namespace {

/// Tokens that say how far they lie from each of many places: smooth over the grid, and as if the picture had
/// been moved by (dx, dy) tokens.
Features moving(double dx, double dy, int rows = 7, int cols = 9) {
  Features f;
  f.rows = rows, f.cols = cols;
  const int dims = (rows + 4) * (cols + 4);
  f.tokens = at::empty({rows * cols, dims}, at::kFloat);
  float* value = f.tokens.mutable_data_ptr<float>();
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < cols; ++c)
      for (int y = -2; y < rows + 2; ++y)
        for (int x = -2; x < cols + 2; ++x)
          *value++ = static_cast<float>(std::exp(-(std::pow(c - dx - x, 2) + std::pow(r - dy - y, 2)) / 4));
  f.global = at::ones({1});
  f.original_from_grid = {{10, 0, 0, 0, 10, 0}};
  f.image_width = 10 * cols, f.image_height = 10 * rows;
  f.backbone = "test";
  return f;
}

Matches match(const Features& a, const Features& b) {
  return mutual_nearest(
      a, b, {.max_features = 1000, .keypoint_th = 0, .match_th = 0, .line_th = 0, .unique = true});
}

}  // namespace

TEST_CASE("matches move by the part of a token that pictures are apart") {
  const Features a = moving(0, 0), b = moving(0.3, -0.2);
  Matches matches = match(a, b);
  refine_to_subpixel(matches, a, b);
  int inner = 0;
  for (std::size_t k = 0; k < matches.size(); ++k) {
    const int row = matches.idx_b[k] / 9, col = matches.idx_b[k] % 9;
    if (row == 0 || row == 6 || col == 0 || col == 8) continue;
    ++inner;
    CHECK(matches.points_b[k].x - matches.points_a[k].x == Approx(3).margin(0.3));
    CHECK(matches.points_b[k].y - matches.points_a[k].y == Approx(-2).margin(0.3));
  }
  CHECK(inner > 20);
}

TEST_CASE("at the border, and beside tokens that may not be matched, points stay") {
  const Features a = moving(0, 0);
  Features b = moving(0.3, 0.3);
  b.selectable = at::full({63}, true, at::kBool);
  b.selectable[3 * 9 + 4] = false;
  Matches matches = match(a, b);
  const Matches before = matches;
  refine_to_subpixel(matches, a, b);
  for (std::size_t k = 0; k < matches.size(); ++k) {
    const int row = matches.idx_b[k] / 9, col = matches.idx_b[k] % 9;
    if (col == 0 || col == 8 || (row == 3 && (col == 3 || col == 5)))
      CHECK(matches.points_b[k].x == before.points_b[k].x);
  }
}

TEST_CASE("features of other matches are an error") {
  const Features a = moving(0, 0), b = moving(0, 0, 5, 5);
  Matches matches = match(a, a);
  CHECK_THROWS_AS(refine_to_subpixel(matches, a, b), Error);
}
