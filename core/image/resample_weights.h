// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace imatch {

/// Weights that turn `in` samples of a row or column into `out`: output i is the sum over k in [0, count[i])
/// of input[first[i] + k] * weight[i * stride + k], as fixed-point numbers with kWeightBits fractional bits.
struct ResampleWeights {
  static constexpr int kWeightBits = 22;  ///< 32 - 8 bits of a sample - 2 for overshoot.

  int in = 0;
  int out = 0;
  int stride = 0;
  std::vector<std::int32_t> first;
  std::vector<std::int32_t> count;
  std::vector<std::int32_t> weight;
};

/// Filter: "bilinear" (triangle), "bicubic" (Keys, a = -0.5) or "area" (box); widened by in / out when
/// shrinking. Throws Error for another name.
ResampleWeights resample_weights(int in, int out, std::string_view filter);

}  // namespace imatch
