// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include "nn/graph_writer.h"

namespace imatch {

/// A 2-D convolution with bias and TensorFlow's SAME padding (ceil(n / stride) outputs along an axis of n,
/// the odd pixel of padding at the end), optionally followed by ReLU6. On the CPU (float32, bfloat16) it runs
/// as one fused oneDNN primitive, elsewhere, and where it is to be differentiated, as ATen's convolution.
/// Weights stay in plain channels-last order: oneDNN's blocked orders depend on the image size, and going
/// from one to another costs more than the convolution itself.
class SameConv {
 public:
  struct Shape {
    int stride = 1;  ///< 1 or 2.
    int groups = 1;
    bool relu6 = false;
  };

  SameConv() = default;
  /// `weight` [O, I / groups, k, k] with odd k, `bias` [O], of one device and floating type, which the inputs
  /// share. A weight in channels-last order is shared, so that training it is seen.
  SameConv(const at::Tensor& weight, const at::Tensor& bias, Shape shape);

  /// [N, I, H, W] channels-last -> [N, O, ceil(H / stride), ceil(W / stride)] channels-last.
  at::Tensor operator()(const at::Tensor& input) const;
  /// The same, added to `sum`, in place unless it is to be differentiated; only for stride 1 without ReLU6.
  /// Returns the sum.
  at::Tensor add_to(const at::Tensor& sum, const at::Tensor& input) const;

  GraphWriter::Value write(GraphWriter& to, GraphWriter::Value input) const;

 private:
  at::Tensor weight_;
  at::Tensor bias_;
  Shape shape_;
  std::int64_t kernel_ = 1;
  bool fused_ = false;
};

}  // namespace imatch
