// SPDX-License-Identifier: Apache-2.0
#include "nn/group_norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/silu.h>
#include <fmt/format.h>

#include <array>
#include <vector>
#include "catch.h"

#include "nn/host_kernels.h"

namespace imatch {
namespace {

using testing::KernelsOnCpu;

struct NormCase {
  std::int64_t images, channels, height, width, groups;
};
/// Channels in whole packs of 16 bytes and not, less than a warp of packs and more, one group and many; more
/// pixels than a thread takes, and one.
constexpr NormCase kNormCases[] = {{2, 128, 9, 7, 32}, {1, 384, 5, 5, 32}, {3, 64, 40, 33, 16},
                                   {2, 512, 3, 4, 32}, {1, 20, 6, 5, 5},   {2, 12, 1, 1, 3},
                                   {1, 6, 70, 4, 1},   {2, 264, 4, 3, 33}};

/// The result, and the gradients of x, weight and bias of its product with `by`.
std::array<at::Tensor, 4> everything(const NormCase& of, const at::Tensor& x, const at::Tensor& weight,
                                     const at::Tensor& bias, const at::Tensor& by, bool silu, bool ours) {
  const auto leaf = [](const at::Tensor& t) { return t.detach().clone().set_requires_grad(true); };
  const at::Tensor leaf_x = leaf(x), leaf_weight = leaf(weight), leaf_bias = leaf(bias);
  at::Tensor y;
  if (ours) {
    y = group_norm(leaf_x, of.groups, leaf_weight, leaf_bias, 1e-6, silu);
  } else {
    y = at::group_norm(leaf_x, of.groups, leaf_weight, leaf_bias, 1e-6);
    if (silu) y = at::silu(y);
  }
  y.mul(by).sum().backward();
  return {y.detach(), leaf_x.grad(), leaf_weight.grad(), leaf_bias.grad()};
}

double relative_error(const at::Tensor& got, const at::Tensor& exact) {
  REQUIRE(got.sizes() == exact.sizes());
  return (got.to(at::kDouble) - exact).abs().max().item<double>() /
         std::max(1.0, exact.abs().max().item<double>());
}

at::Tensor channels_last(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

TEST_CASE("fused group norm agrees with LibTorch's in float64, and so do its gradients") {
  at::manual_seed(31);
  for (const NormCase& of : kNormCases)
    for (const bool silu : {false, true})
      for (const auto& [type, allowed] : {std::pair{at::kFloat, 2e-6}, std::pair{at::kBFloat16, 6e-3}}) {
        const std::vector<std::int64_t> sizes{of.images, of.channels, of.height, of.width};
        const at::Tensor x = channels_last((at::randn(sizes) * 2 + 5).to(type));
        const at::Tensor by = channels_last(at::randn(sizes).to(type));
        const at::Tensor weight = at::randn({of.channels}), bias = at::randn({of.channels});
        const auto wide = [](const at::Tensor& t) { return t.to(at::kDouble); };
        const auto exact = everything(of, wide(x), wide(weight), wide(bias), wide(by), silu, false);
        const KernelsOnCpu kernels;
        const long long before = testing::host_launches();
        const auto got = everything(of, x, weight, bias, by, silu, true);
        REQUIRE(testing::host_launches() == before + 7);
        REQUIRE(got[0].is_contiguous(at::MemoryFormat::ChannelsLast));
        REQUIRE(got[0].scalar_type() == type);
        for (std::size_t i = 0; i < got.size(); ++i) {
          INFO(fmt::format("{}x{}x{}x{}, {} groups, silu {}, type {}, result {}", of.images, of.channels,
                           of.height, of.width, of.groups, silu, c10::toString(type), i));
          // One pixel a group of few: its deviations are tiny, and what is divided by them is not.
          REQUIRE(relative_error(got[i], exact[i]) <= allowed * (of.height * of.width == 1 ? 4 : 1));
        }
      }
}

TEST_CASE("a group norm is exact where the mean is far larger than the deviations") {
  const NormCase of{2, 64, 16, 16, 16};
  const at::Tensor x = channels_last(at::randn({2, 64, 16, 16}) + 1000), weight = at::randn({64}),
                   bias = at::randn({64});
  const at::Tensor exact =
      at::group_norm(x.to(at::kDouble), of.groups, weight.to(at::kDouble), bias.to(at::kDouble), 1e-6);
  const KernelsOnCpu kernels;
  REQUIRE(relative_error(group_norm(x, of.groups, weight, bias, 1e-6, false), exact) < 1e-3);
}

TEST_CASE("other layouts, and machines without kernels, take LibTorch's group norm") {
  const at::Tensor x = at::randn({2, 16, 6, 6}), weight = at::randn({16}), bias = at::randn({16});
  const at::Tensor exact = at::silu(at::group_norm(x, 4, weight, bias, 1e-6));
  const long long before = testing::host_launches();
  REQUIRE(at::equal(group_norm(x, 4, weight, bias, 1e-6, true), exact));
  const KernelsOnCpu kernels;
  REQUIRE(at::equal(group_norm(x, 4, weight, bias, 1e-6, true), exact));
  REQUIRE(testing::host_launches() == before);
}

TEST_CASE("a scaled sum is that of LibTorch, and hands its gradient to both") {
  at::manual_seed(32);
  for (const std::int64_t channels : {128, 20, 7}) {
    const auto leaf = [&] { return channels_last(at::randn({2, channels, 5, 6})).set_requires_grad(true); };
    const at::Tensor a = leaf(), b = leaf(), by = at::randn({2, channels, 5, 6});
    const KernelsOnCpu kernels;
    const long long before = testing::host_launches();
    const at::Tensor y = scaled_sum(a, b, 0.7);
    REQUIRE(testing::host_launches() == before + 1);
    REQUIRE(relative_error(y.detach(), (a + b).mul(0.7).to(at::kDouble).detach()) < 1e-6);
    y.mul(by).sum().backward();
    REQUIRE(relative_error(a.grad(), by.mul(0.7).to(at::kDouble)) < 1e-6);
    REQUIRE(at::equal(a.grad(), b.grad()));
  }
}

}  // namespace imatch
