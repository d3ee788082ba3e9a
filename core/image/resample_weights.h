// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace imatch {

/// Weights that turn `in` samples of a row or column into `out`: output i is the sum over k in [0, count[i])
/// of input[first[i] + k] * weight[i * stride + k].
template <class Weight>
struct WeightTable {
  int in = 0;
  int out = 0;
  int stride = 0;
  std::vector<std::int32_t> first;
  std::vector<std::int32_t> count;
  std::vector<Weight> weight;
};

/// Fixed-point numbers with kWeightBits fractional bits.
struct ResampleWeights : WeightTable<std::int32_t> {
  static constexpr int kWeightBits = 22;  ///< 32 - 8 bits of a sample - 2 for overshoot.
};

/// What of the input becomes the output, in pixels from its begin. The filter reaches beyond it where there
/// is more.
struct AxisPart {
  double begin = 0;
  double end = 0;
};

/// Filter: "bilinear" (triangle), "bicubic" (Keys, a = -0.5) or "area" (box); widened by in / out when
/// shrinking. The weights of an output sum to 1. In double as Pillow computes them, in float as PyTorch's
/// antialiased interpolation does. Throws Error for another name.
template <class Real>
WeightTable<Real> weight_table(int in, int out, std::string_view filter, AxisPart part);

template <class Real>
WeightTable<Real> weight_table(int in, int out, std::string_view filter) {
  return weight_table<Real>(in, out, filter, {0, static_cast<double>(in)});
}

/// Pillow's, rounded.
ResampleWeights resample_weights(int in, int out, std::string_view filter, AxisPart part);

inline ResampleWeights resample_weights(int in, int out, std::string_view filter) {
  return resample_weights(in, out, filter, {0, static_cast<double>(in)});
}

}  // namespace imatch
