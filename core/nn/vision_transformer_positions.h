// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace imatch {

/// What depends on the size of the grid of patches alone, computed once for each of the first sizes; copies
/// share it. Nothing is dropped again: a recorded forward pass (recorded_forward.h) reads the very tensors
/// that it was recorded with. Calls may come from several threads.
template <class Value>
class OncePerGrid {
 public:
  template <class Make>
  Value operator()(std::int64_t rows, std::int64_t cols, const Make& make) const {
    const std::lock_guard lock(kept_->mutex);
    const auto known = kept_->values.find({rows, cols});
    if (known != kept_->values.end()) return known->second;
    Value value = make();
    if (kept_->values.size() < kMost) kept_->values.emplace(std::pair{rows, cols}, value);
    return value;
  }

 private:
  static constexpr std::size_t kMost = 32;
  struct Kept {
    std::mutex mutex;
    std::map<std::pair<std::int64_t, std::int64_t>, Value> values;
  };
  std::shared_ptr<Kept> kept_ = std::make_shared<Kept>();
};

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
  at::Tensor brought_to(std::int64_t rows, std::int64_t cols) const;

  at::Tensor embedding_;
  std::int64_t side_ = 0;
  GridResampling resampling_ = GridResampling::kOffset;
  OncePerGrid<at::Tensor> brought_;
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
  /// Tables for a grid behind `prefix` tokens that have no place in it; `prefix` is the same in each call.
  Tables tables(std::int64_t rows, std::int64_t cols, std::int64_t prefix) const;
  /// Queries or keys [N, heads, tokens, head width] -> the same rotated, of the same type.
  static at::Tensor rotated(const at::Tensor& heads, const Tables& by);

 private:
  Tables computed(std::int64_t rows, std::int64_t cols, std::int64_t prefix) const;

  at::Tensor periods_;
  OncePerGrid<Tables> tables_;
};

/// base^(4 i / head_width), i < head_width / 4: what transformers computes instead of reading the periods.
at::Tensor rotary_periods(std::int64_t head_width, double base);

}  // namespace imatch
