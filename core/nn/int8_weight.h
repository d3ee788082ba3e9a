// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace imatch {

/// The weight of a linear layer in 8 bits, and products with it: y = x W^T + b. Weights are rounded once,
/// symmetrically, by output: W[o] = scale[o] q[o], q in [-127, 127]. Activations are rounded at each call, by
/// row (token): x[r] = least[r] + step[r] q[r], q in [0, 255], which serves values about zero and those
/// behind a GELU alike. Sums are exact, in 32 bits, and the same on every processor; AVX512-VNNI makes them
/// fast. After T. Dettmers et al., "LLM.int8()", 2022 (rows of activations, columns of weights), without its
/// outliers.
class Int8Weight {
 public:
  Int8Weight() = default;
  /// Of a weight [out, in] in float32 on the CPU; in <= 65,536, so that sums fit.
  explicit Int8Weight(const at::Tensor& weight);

  bool defined() const { return packed_.defined(); }
  /// [out, in] in float32, as rounded.
  at::Tensor to_float() const;
  /// [..., in] float32 -> [..., out]; `bias` [out], or undefined. `gelu`: the exact GELU of it, to 1e-5 or
  /// 2e-6 of it.
  at::Tensor product(const at::Tensor& x, const at::Tensor& bias, bool gelu) const;
  /// For kernels that round otherwise: scale[o], the sum of q[o], and the panel of the outputs from 64 p on,
  /// [in / 4][64][4].
  float scale(std::int64_t o) const { return scales_.const_data_ptr<float>()[o]; }
  std::int32_t sum(std::int64_t o) const;
  const std::int8_t* panel(std::int64_t p) const {
    return packed_.const_data_ptr<std::int8_t>() + p * packed_.stride(0);
  }
  /// Whether this processor has the instructions that make it faster than float32.
  static bool is_fast();

 private:
  std::int64_t in_ = 0, out_ = 0;
  at::Tensor packed_;  ///< int8 [out / 64][in / 4][64][4], both rounded up and filled with zeros.
  at::Tensor scales_;  ///< float [out / 64 * 64]
  at::Tensor sums_;  ///< float [out / 64 * 64]: of each row of W, as rounded; with least[r] it makes the rest
                     ///< of the sum.
};

}  // namespace imatch
