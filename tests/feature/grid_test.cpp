// SPDX-License-Identifier: Apache-2.0
#include "feature/grid.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "catch.h"

#include "base/error.h"

namespace imatch {
namespace {

TEST_CASE("vectors made elsewhere lie over the whole image") {
  const at::Tensor grid = at::arange(24, at::kFloat).reshape({2, 3, 4});
  GridOptions options;
  options.image_width = 300;
  options.image_height = 100;
  const Features features = features_over_image(at::zeros({5}), grid, options);
  CHECK(features.rows == 2);
  CHECK(features.cols == 3);
  CHECK(at::equal(features.tokens[4], grid[1][1]));
  CHECK(features.key.empty());
  CHECK(at::equal(token_points(features),
                  at::tensor({50.0, 25.0, 150.0, 25.0, 250.0, 25.0, 50.0, 75.0, 150.0, 75.0, 250.0, 75.0})
                      .reshape({6, 2})));
  const std::int64_t one[] = {4};
  CHECK(at::equal(token_points(features, one), at::tensor({150.0, 75.0}).reshape({1, 2})));
  const std::int64_t outside[] = {6};
  CHECK_THROWS_WITH(token_points(features, outside), "points: token 6 is not in [0, 5]");
}

TEST_CASE("vectors that do not go together are refused") {
  GridOptions options;
  options.rows = 2;
  options.cols = 3;
  CHECK(features_over_image(at::zeros({5}), at::zeros({6, 4}), options).original_from_grid.m[0] == 1);
  CHECK_THROWS_WITH(
      features_over_image(at::zeros({5}), at::zeros({7, 4}), options),
      "features: tokens of shape [7, 4] for 2 rows and 3 cols: expected [rows * cols, D] or [rows, cols, D]");
  CHECK_THROWS_AS(features_over_image(at::zeros({5}), at::zeros({3, 2, 4}), options), Error);
  CHECK_THROWS_AS(features_over_image(at::zeros({5}), at::zeros({6}), options), Error);
  CHECK_THROWS_AS(features_over_image(at::zeros({1, 5}), at::zeros({6, 4}), options), Error);
  CHECK_THROWS_AS(features_over_image(at::zeros({5}, at::kInt), at::zeros({6, 4}), options), Error);
}

}  // namespace
}  // namespace imatch
