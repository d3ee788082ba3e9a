// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace imatch {

/// A convolution of each channel by itself in 8 bits, a row of pixels at a time: bytes of a ReLU6 go in and
/// come out (kRelu6Step), channels one behind the other. Weights are rounded by channel, symmetrically. Runs
/// on the calling thread, in exact sums of 32 bits.
class Int8Depthwise {
 public:
  Int8Depthwise() = default;
  /// `weight` [C, 1, k, k] with k of 3 or 5, `bias` [C], in float32 on the CPU; stride 1 or 2.
  Int8Depthwise(const at::Tensor& weight, const at::Tensor& bias, int stride);

  std::int64_t kernel() const { return kernel_; }
  std::int64_t stride() const { return stride_; }
  std::int64_t channels() const { return channels_; }
  /// [C, 1, k, k] in float32, as rounded.
  at::Tensor rounded_weight() const;

  /// Memory that a thread works in.
  using Memory = std::vector<std::uint8_t>;
  /// y[outputs][C] of `rows`: the k rows [width][C] below each other that it sees, nullptr beyond the border;
  /// `left`: pixels that its first window lies beyond the border. `fast`: by AVX512-VNNI.
  void row(std::span<const std::uint8_t* const> rows, std::int64_t width, std::int64_t left,
           std::int64_t outputs, std::uint8_t* y, Memory& memory, bool fast) const;

 private:
  void row_by_vnni(std::span<const std::uint8_t* const> rows, std::int64_t width, std::int64_t left,
                   std::int64_t outputs, std::uint8_t* y, Memory& memory) const;

  std::int64_t channels_ = 0, kernel_ = 0, stride_ = 1;
  std::vector<std::int8_t> weights_;  ///< [k][k][C]
  std::vector<float> scales_, bias_;  ///< [C]: byte = sum * scale + bias.
  /// The same for 64 channels at a time, as row_by_vnni wants them.
  std::vector<std::int8_t> packed_weights_;         ///< [C / 64][4][k columns][groups of four rows][64]
  std::vector<float> packed_scales_, packed_bias_;  ///< [C / 64][4][16]
};

}  // namespace imatch
