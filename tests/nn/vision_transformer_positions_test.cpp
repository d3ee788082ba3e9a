// SPDX-License-Identifier: Apache-2.0
#include "nn/vision_transformer_positions.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>

#include "catch.h"

namespace imatch {

TEST_CASE("positions of a size are computed once, and anew while they are trained") {
  const at::Tensor embedding = at::randn({1, 1 + 5 * 5, 8});
  const LearnedPositions learned(embedding, 5, GridResampling::kAntialiased), copy = learned;
  const at::Tensor first = learned(3, 4);
  REQUIRE(first.sizes() == at::IntArrayRef{1, 1 + 3 * 4, 8});
  REQUIRE(first.is_same(learned(3, 4)));
  REQUIRE(first.is_same(copy(3, 4)));
  REQUIRE(learned(4, 3).sizes() == at::IntArrayRef{1, 1 + 3 * 4, 8});
  REQUIRE_FALSE(at::equal(first, learned(4, 3)));
  REQUIRE(learned(5, 5).is_same(embedding));

  at::Tensor trained = embedding.clone().set_requires_grad(true);
  const LearnedPositions in_training(trained, 5, GridResampling::kAntialiased);
  REQUIRE(at::equal(in_training(3, 4), first));
  {
    const at::NoGradGuard no_gradients;
    trained.add_(1);
  }
  REQUIRE_FALSE(at::equal(in_training(3, 4), first));
}

TEST_CASE("only so many sizes of positions are kept, and none of them is dropped") {
  const RotaryPositions rotary(rotary_periods(64, 100));
  const RotaryPositions::Tables first = rotary.tables(2, 3, 5);
  REQUIRE(first.cos.sizes() == at::IntArrayRef{5 + 2 * 3, 32});
  for (std::int64_t cols = 1; cols <= 100; ++cols) {
    const RotaryPositions::Tables tables = rotary.tables(7, cols, 5);
    REQUIRE(tables.sin.size(0) == 5 + 7 * cols);
  }
  REQUIRE(rotary.tables(2, 3, 5).cos.is_same(first.cos));
  REQUIRE(at::equal(rotary.tables(7, 100, 5).sin, rotary.tables(7, 100, 5).sin));
  REQUIRE_FALSE(rotary.tables(7, 100, 5).sin.is_same(rotary.tables(7, 100, 5).sin));
}

}  // namespace imatch
