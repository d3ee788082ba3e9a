// SPDX-License-Identifier: Apache-2.0
#include "nn/linear_layer.h"

#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>

#include <array>
#include "catch.h"

namespace imatch {
namespace {

double difference(const at::Tensor& a, const at::Tensor& b) {
  REQUIRE(a.sizes() == b.sizes());
  return a.to(at::kDouble).sub(b).abs().max().item<double>();
}

}  // namespace

TEST_CASE("a linear layer agrees with LibTorch's in float64, packed or not, with and without bias and GELU") {
  for (const auto storage : {LinearLayer::Storage::kShared, LinearLayer::Storage::kPacked})
    for (const auto& [rows, in, out] :
         {std::array<std::int64_t, 3>{577, 384, 1536}, {1, 64, 3}, {37, 31, 17}})
      for (const bool has_bias : {false, true}) {
        CAPTURE(rows, in, out, has_bias);
        const at::Tensor x = at::randn({2, rows, in}), weight = at::randn({out, in});
        const at::Tensor bias = has_bias ? at::randn({out}) : at::Tensor();
        const LinearLayer layer(weight, bias, storage);
        const at::Tensor exact = at::linear(x.to(at::kDouble), weight.to(at::kDouble),
                                            has_bias ? bias.to(at::kDouble) : at::Tensor());
        CHECK(difference(layer(x), exact) < 5e-4);
        CHECK(difference(layer.gelu(x), at::gelu(exact)) < 5e-4);
      }
}

TEST_CASE("a linear layer of another type than float32 is LibTorch's own") {
  const at::Tensor x = at::randn({5, 16}, at::kDouble), weight = at::randn({4, 16}, at::kDouble);
  const LinearLayer layer(weight, {}, LinearLayer::Storage::kPacked);
  CHECK_FALSE(layer.is_packed());
  CHECK(difference(layer(x), at::linear(x, weight)) == 0);
}

TEST_CASE("a packed layer does not look at the weight again") {
  at::Tensor weight = at::randn({8, 16});
  const at::Tensor x = at::randn({3, 16});
  const LinearLayer layer(weight, {}, LinearLayer::Storage::kPacked);
  const at::Tensor before = layer(x);
  weight.zero_();
  if (layer.is_packed()) CHECK(difference(layer(x), before) == 0);
}

}  // namespace imatch
