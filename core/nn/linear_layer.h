// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include "nn/int8_weight.h"

namespace imatch {

/// y = x W^T + b by the fastest product that LibTorch has. On the CPU in float32 that is oneDNN's: it uses
/// the whole width of every maker's vector registers, where MKL keeps to AVX2 on processors that are not
/// Intel's, and it applies the GELU while the sums are still in registers. Everything else is at::linear, and
/// so is what is to be differentiated (gradients.h). Calls may come from several threads.
class LinearLayer {
 public:
  enum class Storage {
    kShared,  ///< The weight is used as it lies, and a change of it is seen: what can be trained.
    kPacked,  ///< Where oneDNN computes, the weight is copied into its order, and the original is not kept.
    kInt8,    ///< On the CPU in float32, the weight is rounded to 8 bits (int8_weight.h).
  };

  LinearLayer() = default;
  /// `weight` [out, in]; `bias` [out], or undefined.
  LinearLayer(const at::Tensor& weight, at::Tensor bias, Storage storage);

  /// [..., in] -> [..., out], of the weight's device and type. Throws Error for a gradient through a packed
  /// weight.
  at::Tensor operator()(const at::Tensor& x) const { return apply(x, false); }
  /// The exact GELU of it: y (1 + erf(y / sqrt(2))) / 2.
  at::Tensor gelu(const at::Tensor& x) const { return apply(x, true); }

  /// Whether the weight is a copy in another order.
  bool is_packed() const { return packed_ || int8_.defined(); }
  /// [out, in] as it was given; a packed one is put back into that order, one of 8 bits stays rounded.
  at::Tensor weight() const {
    return int8_.defined() ? int8_.to_float() : packed_ ? weight_.to_dense() : weight_;
  }
  const at::Tensor& bias() const { return bias_; }

 private:
  at::Tensor apply(const at::Tensor& x, bool gelu) const;

  at::Tensor weight_, bias_;
  bool packed_ = false;
  Int8Weight int8_;
};

}  // namespace imatch
