// SPDX-License-Identifier: Apache-2.0
#include "nn/same_conv.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include "catch.h"

#include "base/error.h"

namespace {

using imatch::SameConv;

/// TensorFlow's definition of SAME, by padding the input.
at::Tensor reference(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                     SameConv::Shape shape) {
  const std::int64_t kernel = weight.size(2);
  const auto padding = [&](std::int64_t length) {
    const std::int64_t outputs = (length + shape.stride - 1) / shape.stride;
    return std::max<std::int64_t>((outputs - 1) * shape.stride + kernel - length, 0);
  };
  const std::int64_t y = padding(input.size(2));
  const std::int64_t x = padding(input.size(3));
  const at::Tensor padded = at::constant_pad_nd(input, {x / 2, x - x / 2, y / 2, y - y / 2});
  const at::Tensor output = at::conv2d(padded, weight, bias, at::IntArrayRef{shape.stride, shape.stride},
                                       at::IntArrayRef{0, 0}, at::IntArrayRef{1, 1}, shape.groups);
  return shape.relu6 ? output.clamp(0, 6) : output;
}

TEST_CASE("SameConv: equal to padding as TensorFlow does, for odd and even sizes") {
  const at::NoGradGuard no_gradients;
  for (const int kernel : {1, 3, 5})
    for (const int stride : {1, 2})
      for (const int groups : {1, 8})
        for (const auto& [height, width] : {std::pair{16, 12}, {15, 12}, {16, 11}, {7, 9}, {2, 1}, {1, 2}}) {
          if (kernel == 1 && stride == 2) continue;  // not allowed
          const at::Tensor input = at::randn({2, 8, height, width}) * 3;
          const at::Tensor weight = at::randn({16, 8 / groups, kernel, kernel});
          const at::Tensor bias = at::randn({16});
          for (const bool relu6 : {false, true}) {
            const SameConv::Shape shape{.stride = stride, .groups = groups, .relu6 = relu6};
            const at::Tensor expected = reference(input, weight, bias, shape);
            const at::Tensor actual =
                SameConv(weight, bias, shape)(input.contiguous(at::MemoryFormat::ChannelsLast));
            INFO("kernel " << kernel << " stride " << stride << " groups " << groups << " " << height << "x"
                           << width);
            REQUIRE(actual.sizes() == expected.sizes());
            CHECK((actual - expected).abs().max().item<float>() < 1e-4F);
          }
        }
}

TEST_CASE("SameConv: adds in place to the skip connection") {
  const at::NoGradGuard no_gradients;
  const at::Tensor input = at::randn({2, 12, 9, 10}).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor sum = at::randn({2, 6, 9, 10}).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor weight = at::randn({6, 12, 1, 1});
  const at::Tensor bias = at::randn({6});
  const at::Tensor expected = sum + reference(input, weight, bias, {});
  const at::Tensor actual = SameConv(weight, bias, {}).add_to(sum, input);
  CHECK((actual - expected).abs().max().item<float>() < 1e-4F);
  CHECK(actual.data_ptr() == sum.data_ptr());
  CHECK_THROWS_AS(SameConv(weight, bias, {.relu6 = true}).add_to(sum, input), imatch::Error);
}

TEST_CASE("SameConv: kernels it cannot pad are an error") {
  CHECK_THROWS_AS(SameConv(at::randn({4, 4, 2, 2}), at::randn({4}), {}), imatch::Error);
  CHECK_THROWS_AS(SameConv(at::randn({4, 4, 3, 3}), at::randn({4}), {.stride = 3}), imatch::Error);
  CHECK_THROWS_AS(SameConv(at::randn({4, 4, 1, 1}), at::randn({4}), {.stride = 2}), imatch::Error);
}

}  // namespace
