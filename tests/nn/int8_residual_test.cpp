// SPDX-License-Identifier: Apache-2.0
#include "nn/int8_residual.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "catch.h"

using namespace imatch;

namespace {

struct ResidualCase {
  std::int64_t in, wide, out, kernel, height, width;
  int stride;
  bool expands, skip;
};

/// The block with LibTorch's operators in double precision: the same rounded weights, and every tensor of
/// activations rounded where the block rounds it.
at::Tensor expected_block(const ResidualCase& shape, const Int8Residual& block,
                          const std::optional<ConvWeights>& expand, const ConvWeights& depthwise,
                          const ConvWeights& project, const at::Tensor& x) {
  const double step = 6.0 / 255;
  const auto relu6 = [&](const at::Tensor& y) { return (y / step).round().clamp(0, 255) * step; };
  at::Tensor y = x.to(at::kDouble);
  if (expand) {
    const at::Tensor pixel_step = y.abs().amax({1}, true) / 127;
    y = (y / pixel_step).round().nan_to_num() * pixel_step;
    y = at::conv2d(y, block.rounded_expand().to(at::kDouble), expand->bias.to(at::kDouble));
  }
  y = relu6(y);
  const auto padding = [&](std::int64_t n) {
    const std::int64_t outputs = (n + shape.stride - 1) / shape.stride;
    const std::int64_t all = std::max<std::int64_t>(0, (outputs - 1) * shape.stride + shape.kernel - n);
    return std::array{all / 2, all - all / 2};
  };
  const auto across = padding(shape.width), down = padding(shape.height);
  y = at::constant_pad_nd(y, {across[0], across[1], down[0], down[1]});
  y = at::conv2d(y, block.rounded_depthwise().to(at::kDouble), depthwise.bias.to(at::kDouble),
                 {shape.stride, shape.stride}, at::IntArrayRef{0, 0}, {1, 1}, shape.wide);
  y = at::conv2d(relu6(y), block.rounded_project().to(at::kDouble), project.bias.to(at::kDouble));
  return (shape.skip ? y + x : y).to(at::kFloat);
}

}  // namespace

TEST_CASE("a block in 8 bits is LibTorch's with the same roundings") {
  at::manual_seed(11);
  // Channels that fill registers of 64 and 16 and such that do not, both kernels and strides, odd and even
  // sides, more columns than are made together, and pictures smaller than the kernel.
  for (const ResidualCase& shape :
       {ResidualCase{32, 32, 16, 3, 9, 40, 1, false, false},
        ResidualCase{16, 96, 24, 3, 14, 19, 2, true, false},
        ResidualCase{24, 144, 24, 3, 7, 21, 1, true, true},
        ResidualCase{24, 144, 40, 5, 16, 37, 2, true, false},
        ResidualCase{40, 240, 40, 5, 5, 6, 1, true, true}, ResidualCase{13, 68, 70, 5, 2, 1, 1, true, false},
        ResidualCase{192, 1152, 320, 3, 3, 4, 1, true, false}}) {
    INFO(shape.in << " -> " << shape.wide << " -> " << shape.out << ", " << shape.kernel << " px, stride "
                  << shape.stride);
    std::optional<ConvWeights> expand;
    if (shape.expands) expand = ConvWeights{at::randn({shape.wide, shape.in, 1, 1}), at::randn({shape.wide})};
    const ConvWeights depthwise{at::randn({shape.wide, 1, shape.kernel, shape.kernel}) * 0.3,
                                at::randn({shape.wide})};
    const ConvWeights project{at::randn({shape.out, shape.wide, 1, 1}), at::randn({shape.out})};
    const Int8Residual block(expand, depthwise, project, shape.stride, shape.skip);
    at::Tensor x =
        at::randn({2, shape.in, shape.height, shape.width}).contiguous(at::MemoryFormat::ChannelsLast);
    if (!shape.expands) x = x.mul(3).clamp(0, 6);
    const at::Tensor y = block(x), wanted = expected_block(shape, block, expand, depthwise, project, x);
    REQUIRE(y.sizes() == wanted.sizes());
    CHECK(y.is_contiguous(at::MemoryFormat::ChannelsLast));
    // A value midway between two bytes may fall to either side: a step of one product in many.
    const double range = wanted.abs().max().item<double>();
    CHECK((y - wanted).abs().mean().item<double>() <= 1e-4 * range);
    CHECK((y - wanted).abs().max().item<double>() <= 2e-2 * range);
    const at::Tensor plain = block(x, Int8Residual::Path::kPlain);
    CHECK((y - plain).abs().mean().item<double>() <= 1e-5 * range);
    CHECK((y - plain).abs().max().item<double>() <= 2e-2 * range);
    // An image alone is what it is beside others.
    CHECK(block(x.narrow(0, 1, 1)).equal(y.narrow(0, 1, 1)));
  }
}

TEST_CASE("weights of a block in 8 bits are rounded by channel, and those that do not fit are refused") {
  at::manual_seed(12);
  const ConvWeights expand{at::randn({24, 8, 1, 1}), at::randn({24})},
      depthwise{at::randn({24, 1, 3, 3}), at::randn({24})}, project{at::randn({8, 24, 1, 1}), at::randn({8})};
  const Int8Residual block(expand, depthwise, project, 1, true);
  const auto within_half_a_step = [](const at::Tensor& rounded, const at::Tensor& weight) {
    const at::Tensor step = weight.flatten(1).abs().amax({1}) / 127;
    return (rounded - weight).flatten(1).abs().amax({1}).le(step * 0.5001).all().item<bool>();
  };
  CHECK(within_half_a_step(block.rounded_expand(), expand.weight));
  CHECK(within_half_a_step(block.rounded_depthwise(), depthwise.weight));
  CHECK(within_half_a_step(block.rounded_project(), project.weight));
  CHECK_THROWS_AS(Int8Residual(expand, depthwise, project, 2, true), Error);
  CHECK_THROWS_AS(Int8Residual(std::nullopt, depthwise, expand, 1, false), Error);

  CHECK_THROWS_AS(Int8Depthwise(at::randn({8, 1, 7, 7}), at::randn({8}), 1), Error);
  CHECK_THROWS_AS(block(at::randn({1, 9, 4, 4})), Error);
  // Zero weights, zero pictures: exact.
  const ConvWeights none{at::zeros({8, 24, 1, 1}), at::zeros({8})};
  CHECK(Int8Residual(expand, depthwise, none, 1, false)(at::zeros({1, 8, 5, 5})).abs().max().item<double>() ==
        0);
}
