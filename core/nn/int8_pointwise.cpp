// SPDX-License-Identifier: Apache-2.0
#include "nn/int8_pointwise.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "nn/int8_tile.h"

namespace imatch {
namespace {

constexpr std::int64_t kPanelOutputs = 64;
constexpr std::int64_t kPixels =
    48;  ///< Rounded and multiplied together: their bytes stay in the nearest cache.
constexpr std::int32_t kZero = 128;  ///< The byte of a zero among the pixels of an expansion.
constexpr int kStepsOfSide = 127;

/// One panel's part of a convolution.
struct PointwisePanel {
  const std::int8_t* weights;
  const std::int32_t* start;
  const float *scale, *bias;
  std::int64_t outputs;  ///< At most kPanelOutputs.
};

void round_pixel(const float* x, std::int64_t in, std::uint8_t* q, float& step) {
  float greatest = 0;
  for (std::int64_t i = 0; i < in; ++i) greatest = std::max(greatest, std::abs(x[i]));
  step = greatest / kStepsOfSide;
  const float inverse = greatest > 0 ? kStepsOfSide / greatest : 0;
  for (std::int64_t i = 0; i < in; ++i)
    q[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(std::nearbyint(x[i] * inverse)) + kZero);
}

/// What output o of a pixel is, by plain arithmetic.
float output_of(const std::uint8_t* left, std::int64_t stride, const PointwisePanel& panel, std::int64_t o,
                float step) {
  std::int32_t sum = panel.start[o];
  for (std::int64_t k = 0; k < stride; ++k)
    sum += std::int32_t{left[k]} * panel.weights[k / 4 * kPanelOutputs * 4 + o * 4 + k % 4];
  return std::fma(static_cast<float>(sum) * panel.scale[o], step, panel.bias[o]);
}

void expand_panel(const std::uint8_t* left, std::int64_t rows, std::int64_t stride, const float* steps,
                  const PointwisePanel& panel, std::uint8_t* y, std::int64_t y_stride) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t o = 0; o < panel.outputs; ++o)
      y[r * y_stride + o] = static_cast<std::uint8_t>(
          std::clamp(std::nearbyint(output_of(left + r * stride, stride, panel, o, steps[r])), 0.0f, 255.0f));
}

void project_panel(const std::uint8_t* left, std::int64_t rows, std::int64_t stride,
                   const PointwisePanel& panel, const float* sum, float* y, std::int64_t y_stride) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t o = 0; o < panel.outputs; ++o) {
      const float value = output_of(left + r * stride, stride, panel, o, 1);
      y[r * y_stride + o] = sum ? value + sum[r * y_stride + o] : value;
    }
}

#if defined(__x86_64__)
IMATCH_VNNI void round_pixel_vnni(const float* x, std::int64_t in, std::uint8_t* q, float& step) {
  const std::int64_t whole = in / 16 * 16;
  const auto rest = static_cast<__mmask16>((1U << (in - whole)) - 1);
  __m512 most = _mm512_setzero_ps();
  for (std::int64_t i = 0; i < whole; i += 16)
    most = _mm512_maskz_max_ps(kAllLanes, most, _mm512_abs_ps(_mm512_loadu_ps(x + i)));
  most = _mm512_maskz_max_ps(kAllLanes, most, _mm512_abs_ps(_mm512_maskz_loadu_ps(rest, x + whole)));
  alignas(64) float lanes[16];
  _mm512_store_ps(lanes, most);
  const float greatest = *std::max_element(lanes, lanes + 16);
  step = greatest / kStepsOfSide;
  const __m512 inverse = _mm512_set1_ps(greatest > 0 ? kStepsOfSide / greatest : 0);
  const __m512i zero = _mm512_set1_epi32(kZero);
  for (std::int64_t i = 0; i < in; i += 16) {
    const __mmask16 mask = i < whole ? kAllLanes : rest;
    const __m512i rounded =
        _mm512_maskz_cvtps_epi32(kAllLanes, _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), inverse));
    _mm_mask_storeu_epi8(q + i, mask, _mm512_maskz_cvtepi32_epi8(kAllLanes, _mm512_add_epi32(rounded, zero)));
  }
}

template <int rows, int vectors>
IMATCH_VNNI void expand_tile(const std::uint8_t* left, std::int64_t stride, const float* steps,
                             const PointwisePanel& panel, std::uint8_t* y, std::int64_t y_stride) {
  __m512i sums[rows][vectors];
#pragma GCC unroll 12
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < vectors; ++j) sums[i][j] = _mm512_loadu_si512(panel.start + 16 * j);
  add_int8_products<rows, vectors>(left, stride, panel.weights, sums);
  const auto mask = panel.outputs == 64 ? ~__mmask64{0} : (__mmask64{1} << panel.outputs) - 1;
#pragma GCC unroll 12
  for (int i = 0; i < rows; ++i) {
    const __m512 step = _mm512_set1_ps(steps[i]);
    __m512 values[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
#pragma GCC unroll 4
    for (int j = 0; j < vectors; ++j)
      values[j] = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_maskz_cvtepi32_ps(kAllLanes, sums[i][j]),
                                                _mm512_loadu_ps(panel.scale + 16 * j)),
                                  step, _mm512_loadu_ps(panel.bias + 16 * j));
    _mm512_mask_storeu_epi8(y + i * y_stride, mask,
                            bytes_in_order(values[0], values[1], values[2], values[3]));
  }
}

template <int rows, int vectors>
IMATCH_VNNI void project_tile(const std::uint8_t* left, std::int64_t stride, const PointwisePanel& panel,
                              const float* sum, float* y, std::int64_t y_stride) {
  __m512i sums[rows][vectors];
#pragma GCC unroll 12
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < vectors; ++j) sums[i][j] = _mm512_setzero_si512();
  add_int8_products<rows, vectors>(left, stride, panel.weights, sums);
#pragma GCC unroll 4
  for (int j = 0; j < vectors; ++j) {
    const auto left_over = std::min<std::int64_t>(16, panel.outputs - 16 * j);
    const auto mask = static_cast<__mmask16>((1U << left_over) - 1);
    const __m512 scale = _mm512_loadu_ps(panel.scale + 16 * j), bias = _mm512_loadu_ps(panel.bias + 16 * j);
#pragma GCC unroll 12
    for (int i = 0; i < rows; ++i) {
      const std::int64_t at = i * y_stride + 16 * j;
      __m512 value = _mm512_fmadd_ps(_mm512_maskz_cvtepi32_ps(kAllLanes, sums[i][j]), scale, bias);
      if (sum) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, sum + at));
      _mm512_mask_storeu_ps(y + at, mask, value);
    }
  }
}

/// A tile of as many rows as there are, `rows` at most.
template <int vectors, int rows>
void expand_rest(std::int64_t count, const std::uint8_t* left, std::int64_t stride, const float* steps,
                 const PointwisePanel& panel, std::uint8_t* y, std::int64_t y_stride) {
  if (count == rows) return expand_tile<rows, vectors>(left, stride, steps, panel, y, y_stride);
  if constexpr (rows > 1) expand_rest<vectors, rows - 1>(count, left, stride, steps, panel, y, y_stride);
}
template <int vectors, int rows>
void project_rest(std::int64_t count, const std::uint8_t* left, std::int64_t stride,
                  const PointwisePanel& panel, const float* sum, float* y, std::int64_t y_stride) {
  if (count == rows) return project_tile<rows, vectors>(left, stride, panel, sum, y, y_stride);
  if constexpr (rows > 1) project_rest<vectors, rows - 1>(count, left, stride, panel, sum, y, y_stride);
}

constexpr int tile_rows(int vectors) {
  return vectors <= 2 ? 12 : vectors == 3 ? 8 : 6;
}

template <int vectors>
void expand_panel_vnni(const std::uint8_t* left, std::int64_t rows, std::int64_t stride, const float* steps,
                       const PointwisePanel& panel, std::uint8_t* y, std::int64_t y_stride) {
  constexpr int most = tile_rows(vectors);
  for (std::int64_t r = 0; r < rows; r += most)
    expand_rest<vectors, most>(std::min<std::int64_t>(most, rows - r), left + r * stride, stride, steps + r,
                               panel, y + r * y_stride, y_stride);
}
template <int vectors>
void project_panel_vnni(const std::uint8_t* left, std::int64_t rows, std::int64_t stride,
                        const PointwisePanel& panel, const float* sum, float* y, std::int64_t y_stride) {
  constexpr int most = tile_rows(vectors);
  for (std::int64_t r = 0; r < rows; r += most)
    project_rest<vectors, most>(std::min<std::int64_t>(most, rows - r), left + r * stride, stride, panel,
                                sum ? sum + r * y_stride : nullptr, y + r * y_stride, y_stride);
}
#endif

}  // namespace

Int8Pointwise::Int8Pointwise(const at::Tensor& weight, const at::Tensor& bias, Role role) : weight_(weight) {
  if (bias.dim() != 1 || bias.size(0) != weight.size(0))
    throw Error(
        fmt::format("Int8Pointwise: a bias with {} values; expected {}", bias.numel(), weight.size(0)));
  out_ = weight.size(0);
  in_ = weight.size(1);
  const auto padded = static_cast<std::size_t>((out_ + kPanelOutputs - 1) / kPanelOutputs * kPanelOutputs);
  start_.assign(padded, 0);
  scale_.assign(padded, 0);
  bias_.assign(padded, 0);
  const at::Tensor offsets = bias.to(at::kFloat).contiguous();
  const bool expands = role == Role::kExpand;
  for (std::int64_t o = 0; o < out_; ++o) {
    const auto at = static_cast<std::size_t>(o);
    if (expands) start_[at] = -kZero * weight_.sum(o);
    scale_[at] = expands ? weight_.scale(o) / kRelu6Step : weight_.scale(o) * kRelu6Step;
    bias_[at] = offsets.const_data_ptr<float>()[o] / (expands ? kRelu6Step : 1);
  }
}

void Int8Pointwise::expand(const float* x, std::int64_t rows, std::uint8_t* y, bool fast) const {
  const std::int64_t stride = row_bytes();

  std::vector<std::uint8_t> rounded(static_cast<std::size_t>(kPixels * stride), kZero);
  float steps[kPixels];
  for (std::int64_t first = 0; first < rows; first += kPixels) {
    const std::int64_t count = std::min(kPixels, rows - first);
    for (std::int64_t r = 0; r < count; ++r) {
      const float* const from = x + (first + r) * in_;
      std::uint8_t* const to = rounded.data() + r * stride;
#if defined(__x86_64__)
      if (fast) {
        round_pixel_vnni(from, in_, to, steps[r]);
        continue;
      }
#endif
      round_pixel(from, in_, to, steps[r]);
    }
    for (std::int64_t o = 0; o < out_; o += kPanelOutputs) {
      const PointwisePanel panel{weight_.panel(o / kPanelOutputs), start_.data() + o, scale_.data() + o,
                                 bias_.data() + o, std::min(kPanelOutputs, out_ - o)};
      auto* multiply = expand_panel;
#if defined(__x86_64__)
      constexpr decltype(multiply) kByVectors[] = {expand_panel_vnni<1>, expand_panel_vnni<2>,
                                                   expand_panel_vnni<3>, expand_panel_vnni<4>};
      if (fast) multiply = kByVectors[(panel.outputs - 1) / 16];
#endif
      multiply(rounded.data(), count, stride, steps, panel, y + first * out_ + o, out_);
    }
  }
}

void Int8Pointwise::project(const std::uint8_t* x, std::int64_t rows, const float* sum, float* y,
                            bool fast) const {
  for (std::int64_t first = 0; first < rows; first += kPixels) {
    const std::int64_t count = std::min(kPixels, rows - first);
    for (std::int64_t o = 0; o < out_; o += kPanelOutputs) {
      const PointwisePanel panel{weight_.panel(o / kPanelOutputs), start_.data() + o, scale_.data() + o,
                                 bias_.data() + o, std::min(kPanelOutputs, out_ - o)};
      auto* multiply = project_panel;
#if defined(__x86_64__)
      constexpr decltype(multiply) kByVectors[] = {project_panel_vnni<1>, project_panel_vnni<2>,
                                                   project_panel_vnni<3>, project_panel_vnni<4>};
      if (fast) multiply = kByVectors[(panel.outputs - 1) / 16];
#endif
      const std::int64_t at = first * out_ + o;
      multiply(x + first * row_bytes(), count, row_bytes(), panel, sum ? sum + at : nullptr, y + at, out_);
    }
  }
}

}  // namespace imatch
