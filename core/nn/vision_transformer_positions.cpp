// SPDX-License-Identifier: Apache-2.0
#include "nn/vision_transformer_positions.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/upsample_bicubic2d.h>
#include <ATen/ops/zeros.h>

#include <numbers>

#include "nn/gradients.h"

namespace imatch {
namespace {

/// Added to the number of patches by interpolate_offset of DINOv2's hub functions.
constexpr double kOffset = 0.1;

at::Tensor resampled(const at::Tensor& grid, std::int64_t rows, std::int64_t cols,
                     GridResampling resampling) {
  switch (resampling) {
    case GridResampling::kOffset: {
      const auto scale = [side = static_cast<double>(grid.size(2))](std::int64_t n) {
        return (static_cast<double>(n) + kOffset) / side;
      };
      return at::upsample_bicubic2d(grid, {rows, cols}, /*align_corners=*/false, scale(rows), scale(cols));
    }
    case GridResampling::kAntialiased:
      return at::_upsample_bicubic2d_aa(grid, {rows, cols}, /*align_corners=*/false);
    case GridResampling::kPlain:
      break;
  }
  return at::upsample_bicubic2d(grid, {rows, cols}, /*align_corners=*/false);
}

/// Centres of n cells in -1 to 1.
at::Tensor centres(std::int64_t n, const at::TensorOptions& options) {
  return at::arange(0.5, static_cast<double>(n), 1, options).div(static_cast<double>(n)).mul(2).sub(1);
}

}  // namespace

at::Tensor LearnedPositions::operator()(std::int64_t rows, std::int64_t cols) const {
  if (rows == side_ && cols == side_) return embedding_;
  if (embedding_.requires_grad()) return brought_to(rows, cols);  // it changes while it is trained
  // On a GPU LibTorch's bicubic kernel takes milliseconds, longer than a small network for one image.
  return brought_(rows, cols, [&] { return brought_to(rows, cols); });
}

at::Tensor LearnedPositions::brought_to(std::int64_t rows, std::int64_t cols) const {
  const std::int64_t patches = side_ * side_;
  const at::Tensor grid =
      embedding_.narrow(1, 1, patches).view({1, side_, side_, embedding_.size(2)}).permute({0, 3, 1, 2});
  const at::Tensor patch_positions = resampled(grid, rows, cols, resampling_).flatten(2).transpose(1, 2);
  return at::cat({embedding_.narrow(1, 0, 1), patch_positions}, 1);
}

RotaryPositions::Tables RotaryPositions::tables(std::int64_t rows, std::int64_t cols,
                                                std::int64_t prefix) const {
  return tables_(rows, cols, [&] { return computed(rows, cols, prefix); });
}

RotaryPositions::Tables RotaryPositions::computed(std::int64_t rows, std::int64_t cols,
                                                  std::int64_t prefix) const {
  const std::int64_t quarter = periods_.size(0);
  const auto angles = [&](std::int64_t n) {  // [n, quarter]
    return centres(n, periods_.options()).mul(2 * std::numbers::pi).unsqueeze(1).div(periods_);
  };
  const at::Tensor y = angles(rows).unsqueeze(1).expand({rows, cols, quarter});
  const at::Tensor x = angles(cols).unsqueeze(0).expand({rows, cols, quarter});
  const at::Tensor grid = at::cat({y, x}, 2).flatten(0, 1);
  const at::Tensor all = at::cat({at::zeros({prefix, 2 * quarter}, grid.options()), grid}, 0);
  return {all.cos(), all.sin()};
}

at::Tensor RotaryPositions::rotated(const at::Tensor& heads, const Tables& by) {
  const at::Tensor exact = heads.scalar_type() == at::kDouble ? heads : heads.to(at::kFloat);
  const std::int64_t half = exact.size(3) / 2;
  const at::Tensor low = exact.narrow(3, 0, half);
  const at::Tensor high = exact.narrow(3, half, half);
  if (needs_gradient(exact))
    return at::cat({low.mul(by.cos).addcmul(high, by.sin, -1), high.mul(by.cos).addcmul(low, by.sin)}, 3)
        .to(heads.scalar_type());
  at::Tensor result = at::empty_like(exact);
  at::Tensor low_result = result.narrow(3, 0, half);
  at::Tensor high_result = result.narrow(3, half, half);
  at::mul_out(low_result, low, by.cos).addcmul_(high, by.sin, -1);
  at::mul_out(high_result, high, by.cos).addcmul_(low, by.sin);
  return result.to(heads.scalar_type());
}

at::Tensor rotary_periods(std::int64_t head_width, double base) {
  const at::Tensor exponents =
      at::arange(0, head_width / 4, at::kFloat).mul(4.0 / static_cast<double>(head_width));
  return at::pow(base, exponents);
}

}  // namespace imatch
