// SPDX-License-Identifier: Apache-2.0
#include "feature/postprocess.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "catch.h"

#include "base/error.h"

namespace imatch {
namespace {

/// Token (r, c) is [10 r + c, r]; a sheared frame, so that a swapped axis shows.
Features grid(int rows, int cols) {
  Features features;
  features.rows = rows;
  features.cols = cols;
  features.global = at::tensor({3.0F, 4.0F});
  const at::Tensor index = at::arange(rows * cols, at::kInt);
  const at::Tensor row = index.floor_divide(cols);
  features.tokens = at::zeros({rows * cols, 2});
  features.tokens.select(1, 0).copy_(row.mul(10).add(index.remainder(cols)));
  features.tokens.select(1, 1).copy_(row);
  features.original_from_grid.m = {16, 1.5, -3, 0.25, 12, 7};
  features.key = std::string(64, 'a');
  return features;
}

TEST_CASE("subsampling keeps every stride-th token, and its place in the image") {
  const int rows = GENERATE(1, 4, 5), cols = GENERATE(1, 6, 7), stride = GENERATE(1, 2, 3, 8);
  const Features all = grid(rows, cols);
  const Features some = subsample(all, stride);
  REQUIRE(some.rows == (rows + stride - 1) / stride);
  REQUIRE(some.tokens.size(0) == some.rows * some.cols);
  for (int r = 0; r < some.rows; ++r)
    for (int c = 0; c < some.cols; ++c) {
      const int token = r * some.cols + c, origin = r * stride * cols + c * stride;
      CHECK(at::equal(some.tokens[token], all.tokens[origin]));
      CHECK(some.point(token).x == Approx(all.point(origin).x));
      CHECK(some.point(token).y == Approx(all.point(origin).y));
    }
  CHECK(at::equal(some.global, all.global));
  CHECK((some.key == all.key) == (stride == 1));
}

TEST_CASE("normalised vectors have length one, zero stays zero") {
  const Features features = l2_normalized(grid(2, 2));
  CHECK(at::equal(features.global, at::tensor({0.6F, 0.8F})));
  CHECK(at::equal(features.tokens[0], at::zeros({2})));
  for (int i = 1; i < 4; ++i) CHECK(features.tokens[i].norm().item<float>() == Approx(1));
  Features half = grid(2, 2);
  half.tokens = half.tokens.to(at::kHalf);
  CHECK(l2_normalized(half).tokens.scalar_type() == at::kHalf);
}

TEST_CASE("variants are named as in manifests") {
  const Features features = grid(5, 5);
  CHECK(variant_of(features, "raw").key == features.key);
  CHECK(variant_of(features, "sub2").rows == 3);
  CHECK(variant_of(features, "sub2").key == subsample(features, 2).key);
  CHECK(variant_of(features, "sub2").key != variant_of(features, "sub3").key);
  for (const char* wrong : {"", "sub", "sub0", "sub-1", "sub2x", "sub 2", "Sub2", "sub99999999999", "half"})
    CHECK_THROWS_WITH(variant_of(features, wrong), Catch::Contains("expected 'raw' or 'sub<stride>'"));
}

}  // namespace
}  // namespace imatch
