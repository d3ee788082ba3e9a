// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include <vector>

#include "nn/int8_weight.h"

namespace imatch {

/// What a ReLU6 leaves, in 8 bits: value = kRelu6Step * byte.
inline constexpr float kRelu6Step = 6.0f / 255;

/// A convolution of 1 x 1 in 8 bits, on rows of pixels whose channels lie one behind the other. Weights are
/// rounded by output as Int8Weight does. Runs on the calling thread, in exact sums of 32 bits.
class Int8Pointwise {
 public:
  enum class Role {
    kExpand,   ///< float32 -> ReLU6 in bytes; each pixel is rounded to 127 steps on either side of zero.
    kProject,  ///< bytes of a ReLU6 -> float32.
  };

  Int8Pointwise() = default;
  /// `weight` [out, in], `bias` [out] in float32 on the CPU.
  Int8Pointwise(const at::Tensor& weight, const at::Tensor& bias, Role role);

  std::int64_t in() const { return in_; }
  std::int64_t out() const { return out_; }
  at::Tensor rounded_weight() const { return weight_.to_float(); }

  /// y[rows][out]; kExpand only. `fast`: by AVX512-VNNI, else by plain arithmetic.
  void expand(const float* x, std::int64_t rows, std::uint8_t* y, bool fast) const;
  /// y[rows][out] = what comes of x, plus `sum` [rows][out] unless that is nullptr; kProject only. `x` has
  /// in() rounded up to four bytes a row.
  void project(const std::uint8_t* x, std::int64_t rows, const float* sum, float* y, bool fast) const;
  std::int64_t row_bytes() const { return (in_ + 3) / 4 * 4; }

 private:
  std::int64_t in_ = 0, out_ = 0;
  Int8Weight weight_;
  /// Of the outputs rounded up to whole panels: value = (start + sum) * scale * step of the row + bias, in
  /// units of kRelu6Step for kExpand.
  std::vector<std::int32_t> start_;
  std::vector<float> scale_, bias_;
};

}  // namespace imatch
