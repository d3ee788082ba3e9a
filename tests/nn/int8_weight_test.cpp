// SPDX-License-Identifier: Apache-2.0
#include "nn/int8_weight.h"

#include <ATen/ops/full.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <array>

#include "base/error.h"
#include "catch.h"
#include "nn/linear_layer.h"

using namespace imatch;

namespace {

/// The same products written with LibTorch's operators: rows rounded to 256 steps between their extremes.
at::Tensor expected(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const at::Tensor scale = weight.abs().amax({1}, true) / 127;
  const at::Tensor rounded = (weight / scale).round().clamp(-127, 127) * scale;
  const at::Tensor least = x.amin({-1}, true), step = (x.amax({-1}, true) - least) / 255;
  const at::Tensor q = ((x - least) / step).round().clamp(0, 255);
  return at::linear((q * step + least).to(at::kDouble), rounded.to(at::kDouble), bias.to(at::kDouble))
      .to(at::kFloat);
}

double largest(const at::Tensor& difference) {
  return difference.abs().max().item<double>();
}

}  // namespace

TEST_CASE("products in 8 bits are those of the rounded factors") {
  at::manual_seed(3);
  // Outputs and inputs that fill panels and registers, and such that do not; rows of one tile, of a block and
  // beyond.
  for (const auto& [rows, in, out] :
       {std::array{1, 384, 1152}, std::array{50, 384, 384}, std::array{7, 61, 70}, std::array{101, 1536, 384},
        std::array{49, 3, 5}}) {
    INFO(rows << " x " << in << " -> " << out);
    const at::Tensor x = at::randn({2, rows, in}) + 0.5, weight = at::randn({out, in}),
                     bias = at::randn({out});
    const Int8Weight product(weight);
    const at::Tensor y = product.product(x, bias, false), wanted = expected(x, weight, bias);
    CHECK(y.sizes() == wanted.sizes());
    // A value midway between two steps may fall to either, which moves a sum by one step of one product.
    CHECK(largest(y - wanted) <= 2e-2 * wanted.abs().max().item<double>());
    CHECK((y - wanted).abs().mean().item<double>() <= 1e-5 * wanted.abs().max().item<double>());
    CHECK(largest(product.product(x, bias, true) - at::gelu(y)) <= 1e-5 + 2e-6 * largest(y));
    CHECK(largest(product.product(x, {}, false) - (y - bias)) <= 1e-4 * wanted.abs().max().item<double>());
  }
}

TEST_CASE("a layer in 8 bits keeps its rounded weight, and refuses gradients") {
  at::manual_seed(4);
  const at::Tensor weight = at::randn({65, 30}), bias = at::randn({65});
  const LinearLayer layer(weight, bias, LinearLayer::Storage::kInt8);
  CHECK(layer.is_packed());
  CHECK(largest(layer.weight() - weight) <= weight.abs().max().item<double>() / 254 + 1e-6);
  CHECK(largest(Int8Weight(layer.weight()).to_float() - layer.weight()) <= 1e-6);
  CHECK_THROWS_AS(layer(at::randn({2, 30}).set_requires_grad(true)), Error);
  CHECK_THROWS_AS(layer(at::randn({2, 31})), Error);
}

TEST_CASE("constant rows and zero weights have exact products") {
  const at::Tensor weight = at::zeros({3, 8});
  CHECK(largest(Int8Weight(weight).product(at::randn({4, 8}), {}, false)) == 0);
  const at::Tensor ones = at::ones({2, 8});
  CHECK(largest(Int8Weight(ones).product(at::full({1, 8}, -2.5), {}, false) - (-20)) <= 1e-5);
}
