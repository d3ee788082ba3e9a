// SPDX-License-Identifier: Apache-2.0
#include "nn/attention.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include <array>
#include "catch.h"

#include "base/threads.h"

namespace imatch {
namespace {

struct Heads {
  at::Tensor query, key, value;
};

/// As the network makes them: views of one projection [N, tokens, 3 * heads * D].
Heads random_heads(std::int64_t images, std::int64_t heads, std::int64_t tokens, std::int64_t dim) {
  const at::Tensor all = at::randn({images, tokens, 3 * heads * dim});
  const auto third = [&](std::int64_t i) {
    return all.narrow(2, i * heads * dim, heads * dim).unflatten(2, {heads, dim}).transpose(1, 2);
  };
  return {third(0), third(1), third(2)};
}

double largest_error(const Heads& h) {
  const at::Tensor exact = at::scaled_dot_product_attention(h.query.to(at::kDouble), h.key.to(at::kDouble),
                                                            h.value.to(at::kDouble))
                               .transpose(1, 2)
                               .flatten(2);
  const at::Tensor got = attention(h.query, h.key, h.value);
  REQUIRE(got.sizes() == exact.sizes());
  return got.to(at::kDouble).sub(exact).abs().max().item<double>();
}

}  // namespace

TEST_CASE("attention agrees with LibTorch's in float64") {
  for (const auto& [images, heads, tokens, dim] : {std::array<std::int64_t, 4>{1, 6, 577, 64},
                                                   {2, 3, 65, 128},
                                                   {3, 2, 64, 64},
                                                   {1, 1, 1, 64},
                                                   {2, 5, 23, 64},
                                                   {1, 2, 100, 48}}) {
    CAPTURE(images, heads, tokens, dim);
    CHECK(largest_error(random_heads(images, heads, tokens, dim)) < 1e-5);
  }
}

TEST_CASE("attention of sharp and of very negative scores keeps its probabilities") {
  Heads h = random_heads(1, 2, 130, 64);
  h.query = h.query.mul(40);  // one key takes nearly everything, the others vanish in exp()
  CHECK(largest_error(h) < 1e-4);
  h.key = h.key.sub(30);
  CHECK(largest_error(h) < 2e-3);  // products of thousands in float32
}

TEST_CASE("attention takes any strides and depends neither on the batch nor on the number of threads") {
  const Heads h = random_heads(3, 4, 150, 64);
  const at::Tensor whole = attention(h.query, h.key, h.value);
  const Heads dense{h.query.contiguous(), h.key.contiguous(), h.value.contiguous()};
  CHECK(at::equal(whole, attention(dense.query, dense.key, dense.value)));
  const int threads = num_threads();
  for (const int other : {1, 3}) {
    set_num_threads(other);
    CHECK(at::equal(whole, attention(h.query, h.key, h.value)));
  }
  set_num_threads(threads);
  for (std::int64_t n = 0; n < 3; ++n)
    CHECK(at::equal(whole.narrow(0, n, 1),
                    attention(h.query.narrow(0, n, 1), h.key.narrow(0, n, 1), h.value.narrow(0, n, 1))));
}

TEST_CASE("attention with factors in bfloat16 errs by their rounding") {
  for (const auto& [images, heads, tokens, dim] : {std::array<std::int64_t, 4>{1, 6, 577, 64},
                                                   {2, 3, 65, 128},
                                                   {1, 1, 1, 64},
                                                   {2, 5, 23, 64},
                                                   {1, 2, 100, 48}}) {
    CAPTURE(images, heads, tokens, dim);
    const Heads h = random_heads(images, heads, tokens, dim);
    const auto rounded = [](const at::Tensor& t) { return t.to(at::kBFloat16).to(at::kDouble); };
    const at::Tensor exact =
        at::scaled_dot_product_attention(rounded(h.query), rounded(h.key), rounded(h.value))
            .transpose(1, 2)
            .flatten(2);
    const at::Tensor got = attention(h.query, h.key, h.value, AttentionFactors::kBfloat16);
    REQUIRE(got.sizes() == exact.sizes());
    const auto largest = [](const at::Tensor& t) { return t.abs().max().item<double>(); };
    // What is left is the rounding of the softmax's weights: 2^-9 of each.
    CHECK(largest(got.to(at::kDouble) - exact) <= largest(h.value) / 512);
    CHECK((got.to(at::kDouble) - exact).abs().mean().item<double>() <= 4e-4);
    const at::Tensor by_float = attention(h.query, h.key, h.value, AttentionFactors::kBfloat16ByFloat);
    CHECK(largest(got - by_float) <= largest(h.value) / 512);
    CHECK((got - by_float).abs().mean().item<double>() <= 1e-5);
    CHECK(at::equal(got.narrow(0, 0, 1), attention(h.query.narrow(0, 0, 1), h.key.narrow(0, 0, 1),
                                                   h.value.narrow(0, 0, 1), AttentionFactors::kBfloat16)));
  }
}

}  // namespace imatch
