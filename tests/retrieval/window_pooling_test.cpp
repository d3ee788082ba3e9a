// SPDX-License-Identifier: Apache-2.0
#include "retrieval/window_pooling.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>

#include "catch.h"

#include "base/error.h"
#include "feature/pooling.h"

using namespace imatch;

TEST_CASE("a window's vector is what its tokens alone would give") {
  const at::Tensor grid = at::randn({11, 14, 5}) + 3;  // far from 0: the deviation must not drown
  for (const char* pooling : {"mean", "mean_std", "gem"}) {
    const WindowPooling pooled = pool_windows(grid, 5, 6, 3, pooling);
    REQUIRE(pooled.vectors.size(0) == 3 * 3);
    for (int r = 0; r < 3; ++r)
      for (int c = 0; c < 3; ++c) {
        const at::Tensor tokens = grid.slice(0, 3 * r, 3 * r + 5).slice(1, 3 * c, 3 * c + 6).flatten(0, 1);
        CHECK(pooled.vectors[3 * r + c].allclose(pool_tokens(tokens, pooling), 1e-4, 1e-5));
        CHECK(pooled.coverage[3 * r + c].item<float>() == 1);
      }
  }
}

TEST_CASE("zero tokens do not count") {
  at::Tensor grid = at::randn({4, 4, 3}) + 2;
  grid.slice(0, 2, 4).zero_();
  for (const char* pooling : {"mean", "mean_std", "gem"}) {
    const WindowPooling pooled = pool_windows(grid, 4, 4, 1, pooling);
    CHECK(pooled.coverage[0].item<float>() == 0.5F);
    CHECK(pooled.vectors[0].allclose(pool_tokens(grid.slice(0, 0, 2).flatten(0, 1), pooling), 1e-4, 1e-5));
  }
}

TEST_CASE("an unknown pooling is an error") {
  CHECK_THROWS_AS(pool_windows(at::randn({4, 4, 3}), 2, 2, 1, "median"), Error);
}
