// SPDX-License-Identifier: Apache-2.0
#include "nn/fused.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/cosine_similarity.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <array>
#include <cmath>
#include <vector>
#include "catch.h"

#include "nn/host_kernels.h"
#include "nn/random_weights.h"
#include "nn/vision_transformer.h"

namespace imatch {
namespace {

using testing::KernelsOnCpu;

constexpr c10::ScalarType kTypes[] = {at::kFloat, at::kBFloat16, at::kHalf};

/// Half a unit in the last place of 1, a few times over where a value is rounded twice.
double unit_of(c10::ScalarType type) {
  return type == at::kFloat ? 2e-6 : type == at::kBFloat16 ? std::ldexp(1, -8) : std::ldexp(1, -11);
}

/// Each value within a unit in the last place of the exact one, computed in float64.
void require_near(const at::Tensor& got, const at::Tensor& exact, double units = 1) {
  REQUIRE(got.sizes() == exact.sizes());
  const at::Tensor wide = got.to(at::kDouble);
  const at::Tensor allowed = exact.abs().clamp_min(1).mul(units * unit_of(got.scalar_type()));
  const double worst = (wide - exact).abs().div(allowed).max().item<double>();
  INFO("type " << c10::toString(got.scalar_type()) << ", shape " << got.sizes() << ", worst " << worst);
  REQUIRE(worst <= 1);
}

/// The exact result, the operators' and the kernels': the first two say what the third may be.
template <class Operator>
void compare(const Operator& result_of, const at::Tensor& exact, double units = 1) {
  require_near(result_of(), exact, units);
  const KernelsOnCpu kernels;
  const long long before = testing::host_launches();
  require_near(result_of(), exact, units);
  REQUIRE(testing::host_launches() == before + 1);
}

at::Tensor random(std::vector<std::int64_t> sizes, c10::ScalarType type) {
  return at::randn(sizes).to(type);
}

at::Tensor wide(const at::Tensor& x) {
  return x.to(at::kDouble);
}

/// Widths that are whole packs and that are not, shorter and longer than what a warp keeps in registers.
constexpr std::int64_t kWidths[] = {1, 7, 32, 96, 384, 588, 1024, 1100, 1536, 4096, 4100};

}  // namespace

TEST_CASE("fused layer norm and residual norm agree with LibTorch's operators and with float64") {
  const at::NoGradGuard no_gradients;
  at::manual_seed(1);
  for (const c10::ScalarType type : kTypes)
    for (const std::int64_t width : kWidths)
      for (const std::int64_t rows : {1, 5, 19}) {
        const at::Tensor x = random({1, rows, width}, type).add_(3), update = random({1, rows, width}, type);
        const at::Tensor scale = random({width}, type), weight = random({width}, type),
                         bias = random({width}, type);
        const auto norm = [&](const at::Tensor& of) {
          return at::layer_norm(of, {width}, wide(weight), wide(bias), 1e-5);
        };
        compare([&] { return fused::layer_norm(x, weight, bias, 1e-5); }, norm(wide(x)), 4);
        const at::Tensor sum = wide(wide(x).addcmul(wide(update), wide(scale)).to(type));
        at::Tensor changed;
        // The norm is compared with that of the very sum: one that is rounded the other way moves it further.
        compare(
            [&] {
              changed = x.clone();
              const at::Tensor out = fused::residual_norm(changed, update, scale, weight, bias, 1e-5);
              return out.sub(norm(wide(changed)).sub(norm(sum)).to(type));
            },
            norm(sum), 8);
        require_near(changed, sum);
      }
}

TEST_CASE("a layer norm is exact where the mean is far larger than the deviations") {
  const at::NoGradGuard no_gradients;
  const at::Tensor x = at::randn({3, 1024}).add(1000), one = at::ones({1024}), zero = at::zeros({1024});
  const at::Tensor exact = at::layer_norm(wide(x), {1024}, wide(one), wide(zero), 1e-6);
  const KernelsOnCpu kernels;
  REQUIRE(fused::layer_norm(x, one, zero, 1e-6).sub(exact).abs().max().item<double>() < 1e-3);
}

TEST_CASE("fused GELU and SwiGLU agree with LibTorch's operators and with float64") {
  const at::NoGradGuard no_gradients;
  at::manual_seed(2);
  for (const c10::ScalarType type : kTypes)
    for (const std::int64_t width : kWidths)
      for (const std::int64_t rows : {1, 3, 18}) {
        const at::Tensor x = random({rows, 2, 8}, type), weight = random({width, 8}, type);
        for (const at::Tensor& bias : {random({width}, type), at::Tensor()}) {
          const at::Tensor exact =
              at::gelu(at::linear(wide(x), wide(weight), bias.defined() ? wide(bias) : at::Tensor()));
          // The product is rounded before the bias is added, and is larger than what is left of it.
          compare([&] { return fused::linear_gelu(x, weight, bias); }, exact, type == at::kFloat ? 4 : 24);
        }
        const at::Tensor both = random({2, rows, 2 * width}, type);
        const at::Tensor gate = both.narrow(2, 0, width), value = both.narrow(2, width, width);
        const at::Tensor exact = at::silu(wide(gate)).mul(wide(value));
        compare([&] { return fused::swiglu(gate, value); }, exact, 2);
        compare([&] { return fused::swiglu(gate.contiguous(), value.contiguous()); }, exact, 2);
      }
}

TEST_CASE("GELU keeps its ends: large values, zeros, infinities and NaN") {
  const at::NoGradGuard no_gradients;
  const at::Tensor x = at::tensor({-40.0f, -6.0f, -0.0f, 0.0f, 6.0f, 40.0f, INFINITY, NAN}).unsqueeze(1);
  const at::Tensor one = at::ones({1, 1});
  const KernelsOnCpu kernels;
  const at::Tensor y = fused::linear_gelu(x, one, {});
  REQUIRE(at::equal(y.narrow(0, 0, 7).isnan(), at::zeros({7, 1}, at::kBool)));
  REQUIRE(y[0].item<float>() == 0);
  REQUIRE(y[5].item<float>() == 40);
  REQUIRE(std::isinf(y[6].item<float>()));
  REQUIRE(std::isnan(y[7].item<float>()));
}

TEST_CASE("fused rotary embedding agrees with LibTorch's operators and with float64") {
  const at::NoGradGuard no_gradients;
  at::manual_seed(3);
  for (const c10::ScalarType type : kTypes)
    for (const auto& [images, tokens, heads, dim] : {std::array<std::int64_t, 4>{1, 1, 1, 4},
                                                     {2, 9, 6, 64},
                                                     {3, 17, 3, 20},
                                                     {1, 21, 2, 128},
                                                     {2, 5, 16, 64}}) {
      const std::int64_t width = heads * dim;
      const at::Tensor qkv = random({images, tokens, 3 * width}, type);
      const at::Tensor query = qkv.narrow(2, 0, width), key = qkv.narrow(2, width, width);
      const at::Tensor angle = at::rand({tokens, dim / 2}).mul(6), cosine = angle.cos(), sine = angle.sin();
      const auto exact = [&](const at::Tensor& of) {
        const at::Tensor all = wide(of).unflatten(2, {heads, dim}).transpose(1, 2);
        const at::Tensor low = all.narrow(3, 0, dim / 2), high = all.narrow(3, dim / 2, dim / 2);
        const at::Tensor c = wide(cosine), s = wide(sine);
        return at::cat({low * c - high * s, high * c + low * s}, 3);
      };
      for (const bool together : {true, false}) {
        const auto part = [&](const at::Tensor& t) { return together ? t : t.contiguous(); };
        const auto rotated = [&] {
          const auto [q, k] = fused::rotated_heads(part(query), part(key), heads, cosine, sine);
          return at::cat({q, k});
        };
        compare(rotated, at::cat({exact(query), exact(key)}));
      }
    }
}

TEST_CASE("pixels normalised from bytes are those of float arithmetic, to the bit") {
  const at::NoGradGuard no_gradients;
  at::manual_seed(4);
  const std::array<float, 3> mean{0.485f, 0.456f, 0.406f}, std{0.229f, 0.224f, 0.225f};
  for (const c10::ScalarType type : kTypes)
    for (const auto& [n, height, width] : {std::array<std::int64_t, 3>{1, 1, 1}, {2, 28, 42}, {3, 17, 301}}) {
      const at::Tensor bytes = at::randint(256, {n, height, width, 3}, at::kByte);
      at::Tensor exact = bytes.to(at::kFloat).permute({0, 3, 1, 2}).div(255);
      for (std::int64_t c = 0; c < 3; ++c) {
        const auto channel = static_cast<std::size_t>(c);
        exact.select(1, c).sub_(mean[channel]).div_(std[channel]);
      }
      const at::Tensor by_operators = fused::normalized_pixels(bytes, mean, std, type);
      REQUIRE(by_operators.is_contiguous());
      REQUIRE(at::equal(by_operators, exact.to(type)));
      const KernelsOnCpu kernels;
      REQUIRE(at::equal(fused::normalized_pixels(bytes, mean, std, type), exact.to(type)));
    }
}

TEST_CASE("a product of patch rows is the convolution of the patch embedding") {
  const at::NoGradGuard no_gradients;
  at::manual_seed(5);
  for (const std::int64_t side : {14, 16})
    for (const std::int64_t padding : {0, 4}) {
      const std::int64_t values = 3 * side * side;
      const at::Tensor images = at::randn({2, 3, 3 * side, 5 * side}), weight = at::randn({8, 3, side, side});
      const at::Tensor exact =
          at::conv2d(wide(images), wide(weight), {}, {side, side}).flatten(2).transpose(1, 2);
      const at::Tensor by_operators = fused::patch_rows(images, side, values + padding);
      REQUIRE(by_operators.sizes() == at::IntArrayRef{2, 15, values + padding});
      const at::Tensor product = at::linear(wide(by_operators.narrow(2, 0, values)), wide(weight.flatten(1)));
      REQUIRE((product - exact).abs().max().item<double>() < 1e-9);
      for (const c10::ScalarType type : kTypes) {
        const KernelsOnCpu kernels;
        REQUIRE(at::equal(fused::patch_rows(images.to(type), side, values + padding), by_operators.to(type)));
      }
    }
}

TEST_CASE("vision transformers compute the same by kernels and by LibTorch's operators") {
  const at::NoGradGuard no_gradients;
  const VisionTransformerShape learned{.width = 96,
                                       .depth = 3,
                                       .heads = 3,
                                       .feed_forward = FeedForward::kFusedSwiGlu,
                                       .feed_forward_width = 160};
  VisionTransformerShape rotary{.width = 96,
                                .depth = 3,
                                .heads = 3,
                                .feed_forward = FeedForward::kSwiGlu,
                                .feed_forward_width = 200,
                                .patch_px = 16,
                                .registers = 4,
                                .positions = PositionScheme::kRotary};
  VisionTransformerShape gelu = rotary;
  gelu.feed_forward = FeedForward::kGelu;
  for (const VisionTransformerShape& shape : {learned, rotary, gelu})
    for (const Facet facet : {Facet::kToken, Facet::kKey}) {
      const StateDict weights = testing::random_weights(shape);
      const auto outputs = [&] {
        WeightsCheckpoint checkpoint("random", weights, at::kCPU, at::kBFloat16);
        const VisionTransformer network(shape, {}, {1, 2}, facet, checkpoint);
        at::manual_seed(6);
        return network.forward(at::randn({2, 3, 3 * shape.patch_px, 4 * shape.patch_px}).to(at::kBFloat16));
      };
      const std::vector<LayerOutput> by_operators = outputs();
      const KernelsOnCpu kernels;
      const long long before = testing::host_launches();
      const std::vector<LayerOutput> by_kernels = outputs();
      // The patches, the first norm, two a block, the final one of the block before the last, and the parts
      // of its own.
      const bool has_rotary = shape.positions == PositionScheme::kRotary;
      REQUIRE(testing::host_launches() - before >= 1 + 1 + 2 * 3 + 1 + (has_rotary ? 3 : 0));
      for (std::size_t i = 0; i < by_kernels.size(); ++i) {
        const auto drift = [](const at::Tensor& a, const at::Tensor& b) {
          return 1 - at::cosine_similarity(wide(a), wide(b), 1).min().item<double>();
        };
        REQUIRE(drift(by_kernels[i].map, by_operators[i].map) < 1e-3);
        REQUIRE(drift(by_kernels[i].global, by_operators[i].global) < 1e-3);
      }
    }
}

TEST_CASE("kernels are not taken for gradients, other types and rows that do not lie one behind the other") {
  const KernelsOnCpu kernels;
  const long long before = testing::host_launches();
  const at::Tensor weight = at::ones({8}), bias = at::zeros({8});
  const at::Tensor x = at::randn({4, 8}).requires_grad_();
  REQUIRE(fused::layer_norm(x, weight, bias, 1e-6).requires_grad());
  const at::NoGradGuard no_gradients;
  REQUIRE_FALSE(fused::has_kernels(at::zeros({2}, at::kDouble)));
  REQUIRE(fused::layer_norm(at::randn({4, 8}, at::kDouble), wide(weight), wide(bias), 1e-6).scalar_type() ==
          at::kDouble);
  const at::Tensor turned = at::randn({8, 4}).t();
  REQUIRE((fused::layer_norm(turned, weight, bias, 1e-6) - at::layer_norm(turned, {8}, weight, bias, 1e-6))
              .abs()
              .max()
              .item<double>() == 0);
  REQUIRE(fused::layer_norm(at::empty({0, 8}), weight, bias, 1e-6).numel() == 0);
  REQUIRE(testing::host_launches() == before);
}

}  // namespace imatch
