// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "nn/conv_weights.h"
#include "nn/int8_depthwise.h"
#include "nn/int8_pointwise.h"

namespace imatch {

/// An inverted residual block with ReLU6 and without squeeze-and-excitation (M. Sandler et al.,
/// "MobileNetV2", 2018) in 8 bits: expansion, convolution of each channel, projection, and the block's input
/// added where the shapes agree. What a ReLU6 leaves lies in [0, 6], so that its steps need no calibration;
/// the few channels between blocks stay in float32, and each pixel of them is rounded by its own largest
/// value. After B. Jacob et al., "Quantization and training of neural networks for efficient
/// integer-arithmetic-only inference", 2018. Padding is TensorFlow's SAME, as SameConv's.
class Int8Residual {
 public:
  Int8Residual() = default;
  /// Weights of [wide, in, 1, 1] (none: what goes in is behind a ReLU6 and as wide), [wide, 1, k, k] and
  /// [out, wide, 1, 1], in float32 on the CPU. `skip`: the input is added.
  Int8Residual(const std::optional<ConvWeights>& expand, const ConvWeights& depthwise,
               const ConvWeights& project, int stride, bool skip);

  /// Whether the processor's instructions are used. The results are equal but for the rounding of values
  /// midway between two bytes.
  enum class Path { kFastest, kPlain };
  /// [N, in, H, W] -> [N, out, ceil(H / stride), ceil(W / stride)], float32 on the CPU, channels last.
  at::Tensor operator()(const at::Tensor& x, Path path = Path::kFastest) const;

  /// As rounded: [wide, in, 1, 1] or undefined, [wide, 1, k, k], [out, wide, 1, 1].
  at::Tensor rounded_expand() const;
  at::Tensor rounded_depthwise() const { return depthwise_.rounded_weight(); }
  at::Tensor rounded_project() const;

 private:
  void expand_pixels(const float* x, std::int64_t pixels, std::uint8_t* y, bool fast) const;

  std::optional<Int8Pointwise> expand_;
  Int8Depthwise depthwise_;
  Int8Pointwise project_;
  bool skip_ = false;
};

}  // namespace imatch
