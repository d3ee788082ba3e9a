// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace imatch {

/// How a learned grid of position embeddings is brought to another size, bicubic in any case. Image
/// models of one family differ in it, and tokens by 0.17 to 1.5 when the wrong one is taken.
enum class GridResampling {
  kOffset,       ///< DINOv2's repository without registers: as if enlarged by (n + 0.1) / side.
  kPlain,        ///< transformers' Dinov2Model: enlarged by n / side.
  kAntialiased,  ///< Both with registers: the filter is widened when shrinking.
};

/// Position embeddings that are added to the class and patch tokens (DINOv2).
class LearnedPositions {
 public:
  LearnedPositions() = default;
  /// `embedding` [1, 1 + side * side, D] float32: class, then the grid, of 37 x 37 patches for the published
  /// models (518 px of training by 14 px).
  LearnedPositions(at::Tensor embedding, std::int64_t side, GridResampling resampling)
      : embedding_(std::move(embedding)), side_(side), resampling_(resampling) {}

  /// [1, 1 + rows * cols, D] float32.
  at::Tensor operator()(std::int64_t rows, std::int64_t cols) const;

 private:
  at::Tensor embedding_;
  std::int64_t side_ = 0;
  GridResampling resampling_ = GridResampling::kOffset;
};

/// Rotary position embedding of DINOv3: axial, coordinates of a patch's centre in -1 to 1 along each side,
/// angle = 2 pi coordinate / period, the angles of y and then of x, element d of a head rotated with element
/// d
/// + width / 2. After Su et al., "RoFormer", 2021, and layers/rope_position_encoding.py of the DINOv3
/// repository. Computed in float32 at least.
class RotaryPositions {
 public:
  struct Tables {
    at::Tensor cos, sin;  ///< [prefix + rows * cols, head width / 2] float32; the prefix is not rotated.
  };

  RotaryPositions() = default;
  /// `periods` [head width / 4] float32.
  explicit RotaryPositions(at::Tensor periods) : periods_(std::move(periods)) {}

  bool defined() const { return periods_.defined(); }
  /// Tables for a grid behind `prefix` tokens that have no place in it.
  Tables tables(std::int64_t rows, std::int64_t cols, std::int64_t prefix) const;
  /// Queries or keys [N, heads, tokens, head width] -> the same rotated, of the same type.
  static at::Tensor rotated(const at::Tensor& heads, const Tables& by);

 private:
  at::Tensor periods_;
};

/// base^(4 i / head_width), i < head_width / 4: what transformers computes instead of reading the periods.
at::Tensor rotary_periods(std::int64_t head_width, double base);

}  // namespace imatch
