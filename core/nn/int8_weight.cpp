// SPDX-License-Identifier: Apache-2.0
#include "nn/int8_weight.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <vector>

#include "base/error.h"
#include "nn/int8_tile.h"

namespace imatch {
namespace {

constexpr std::int64_t kOutputs = 64;      ///< Outputs of a panel: four registers of sums.
constexpr std::int64_t kTaps = 4;          ///< Products that one instruction adds.
constexpr int kRowsOfTile = 6;             ///< 24 of 32 registers are sums.
constexpr std::int64_t kRowsOfBlock = 24;  ///< Rows that one task rounds and multiplies.
constexpr std::int64_t kMostInputs = 65'536;

std::int64_t rounded_up(std::int64_t n, std::int64_t to) {
  return (n + to - 1) / to * to;
}

/// Rows of activations in 8 bits.
struct RoundedRows {
  std::int64_t stride;  ///< Inputs, rounded up to whole instructions; what is over is 0.
  std::vector<std::uint8_t> values;
  std::vector<float> least, step;

  RoundedRows(std::int64_t rows, std::int64_t in)
      : stride(rounded_up(in, kTaps)),
        values(static_cast<std::size_t>(rows * stride)),
        least(static_cast<std::size_t>(rows)),
        step(least.size()) {}
};

/// What becomes of the sums of a panel: sum * step[row] * scale[output] + least[row] * sums[output] + bias.
struct PanelRules {
  const float* scales;
  const float* sums;
  const float* bias;     ///< nullptr: none
  std::int64_t outputs;  ///< Of the panel, at most kOutputs.
  bool gelu;
};

// The normal distribution's Phi(y) = 1/2 + y R(2 y^2 / 4.6^2 - 1) for |y| <= 4.6, a polynomial fitted at
// Chebyshev's points; |y Phi(y) - GELU(y)| <= 1e-5, or 2e-6 of y.
constexpr float kGeluEnd = 4.6f;
constexpr float kGelu[] = {1.29774406e-03f, -2.98036063e-03f, 3.09702183e-03f, -5.74119545e-03f,
                           1.25995872e-02f, -2.02906237e-02f, 2.91101461e-02f, -4.03395196e-02f,
                           5.41710940e-02f, -7.57713133e-02f, 1.53543043e-01f};

void round_row(const float* x, std::int64_t in, std::uint8_t* q, float& least, float& step) {
  const auto [low, high] = std::minmax_element(x, x + in);
  least = *low;
  step = (*high - *low) / 255;
  const float inverse = step > 0 ? 1 / step : 0;
  for (std::int64_t i = 0; i < in; ++i)
    q[i] = static_cast<std::uint8_t>(std::clamp(std::nearbyint((x[i] - least) * inverse), 0.0f, 255.0f));
}

/// Plain arithmetic: the same sums.
void product_rows(std::int64_t rows, const std::uint8_t* left, std::int64_t left_stride,
                  const std::int8_t* panel, const float* least, const float* step, const PanelRules& rules,
                  float* y, std::int64_t y_stride) {
  for (std::int64_t r = 0; r < rows; ++r) {
    std::int32_t sums[kOutputs] = {};
    for (std::int64_t k = 0; k < left_stride; ++k) {
      const std::int8_t* column = panel + k / kTaps * kOutputs * kTaps + k % kTaps;
      const std::int32_t value = left[r * left_stride + k];
      for (std::int64_t o = 0; o < kOutputs; ++o) sums[o] += value * column[o * kTaps];
    }
    for (std::int64_t o = 0; o < rules.outputs; ++o) {
      float value = static_cast<float>(sums[o]) * (step[r] * rules.scales[o]) + least[r] * rules.sums[o];
      if (rules.bias) value += rules.bias[o];
      if (rules.gelu) value *= 0.5f * (1 + std::erf(value * 0.70710678f));
      y[r * y_stride + o] = value;
    }
  }
}

#if defined(__x86_64__)
IMATCH_VNNI inline __m128i to_bytes(__m512 values, __m512 least, __m512 inverse) {
  const __m512i rounded =
      _mm512_maskz_cvtps_epi32(kAllLanes, _mm512_mul_ps(_mm512_sub_ps(values, least), inverse));
  return _mm512_maskz_cvtusepi32_epi8(kAllLanes, rounded);
}

IMATCH_VNNI void round_row_vnni(const float* x, std::int64_t in, std::uint8_t* q, float& least, float& step) {
  const std::int64_t whole = in / 16 * 16;
  const auto rest = static_cast<__mmask16>((1U << (in - whole)) - 1);
  __m512 low = _mm512_set1_ps(x[0]), high = low;
  for (std::int64_t i = 0; i < whole; i += 16) {
    const __m512 values = _mm512_loadu_ps(x + i);
    low = _mm512_maskz_min_ps(kAllLanes, low, values);
    high = _mm512_maskz_max_ps(kAllLanes, high, values);
  }
  low = _mm512_maskz_min_ps(kAllLanes, low, _mm512_mask_loadu_ps(low, rest, x + whole));
  high = _mm512_maskz_max_ps(kAllLanes, high, _mm512_mask_loadu_ps(high, rest, x + whole));
  std::array<float, 16> lows, highs;
  _mm512_storeu_ps(lows.data(), low);
  _mm512_storeu_ps(highs.data(), high);
  least = *std::ranges::min_element(lows);
  step = (*std::ranges::max_element(highs) - least) / 255;
  const __m512 inverse = _mm512_set1_ps(step > 0 ? 1 / step : 0), from = _mm512_set1_ps(least);
  for (std::int64_t i = 0; i < whole; i += 16)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(q + i), to_bytes(_mm512_loadu_ps(x + i), from, inverse));
  _mm_mask_storeu_epi8(q + whole, rest, to_bytes(_mm512_maskz_loadu_ps(rest, x + whole), from, inverse));
}

IMATCH_VNNI inline __m512 gelu(__m512 y) {
  const __m512 end = _mm512_set1_ps(kGeluEnd);
  const __m512 inside = _mm512_maskz_max_ps(kAllLanes, _mm512_maskz_min_ps(kAllLanes, y, end),
                                            _mm512_sub_ps(_mm512_setzero_ps(), end));
  const __m512 z = _mm512_fmadd_ps(_mm512_mul_ps(inside, inside), _mm512_set1_ps(2 / (kGeluEnd * kGeluEnd)),
                                   _mm512_set1_ps(-1));
  __m512 r = _mm512_set1_ps(kGelu[0]);
  for (std::size_t i = 1; i < std::size(kGelu); ++i) r = _mm512_fmadd_ps(r, z, _mm512_set1_ps(kGelu[i]));
  return _mm512_mul_ps(y, _mm512_fmadd_ps(inside, r, _mm512_set1_ps(0.5f)));
}

/// sums[rows][64] of so many rows; unrolled, so that the sums never leave their registers.
template <int rows>
IMATCH_VNNI void add_products(const std::uint8_t* left, std::int64_t left_stride, const std::int8_t* panel,
                              std::int32_t* to) {
  __m512i sums[rows][4];
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) sums[i][j] = _mm512_setzero_si512();
  add_int8_products<rows, 4>(left, left_stride, panel, sums);
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) _mm512_storeu_si512(to + i * kOutputs + j * 16, sums[i][j]);
}

IMATCH_VNNI void finish_rows(std::int64_t rows, const std::int32_t* sums, const float* least,
                             const float* step, const PanelRules& rules, float* y, std::int64_t y_stride) {
  for (std::int64_t j = 0; j < rules.outputs; j += 16) {
    const auto mask = static_cast<__mmask16>((1U << std::min<std::int64_t>(16, rules.outputs - j)) - 1);
    const __m512 scale = _mm512_loadu_ps(rules.scales + j), sum = _mm512_loadu_ps(rules.sums + j);
    const __m512 bias = rules.bias ? _mm512_maskz_loadu_ps(mask, rules.bias + j) : _mm512_setzero_ps();
    for (std::int64_t i = 0; i < rows; ++i) {
      const __m512 rest = _mm512_fmadd_ps(_mm512_set1_ps(least[i]), sum, bias);
      const __m512 total = _mm512_maskz_cvtepi32_ps(kAllLanes, _mm512_loadu_si512(sums + i * kOutputs + j));
      const __m512 value = _mm512_fmadd_ps(total, _mm512_mul_ps(_mm512_set1_ps(step[i]), scale), rest);
      _mm512_mask_storeu_ps(y + i * y_stride + j, mask, rules.gelu ? gelu(value) : value);
    }
  }
}

void product_rows_vnni(std::int64_t rows, const std::uint8_t* left, std::int64_t left_stride,
                       const std::int8_t* panel, const float* least, const float* step,
                       const PanelRules& rules, float* y, std::int64_t y_stride) {
  constexpr decltype(&add_products<1>) kTile[] = {nullptr,         add_products<1>, add_products<2>,
                                                  add_products<3>, add_products<4>, add_products<5>,
                                                  add_products<6>};
  alignas(64) std::int32_t sums[kRowsOfTile * kOutputs];
  for (std::int64_t i = 0; i < rows; i += kRowsOfTile) {
    const std::int64_t count = std::min<std::int64_t>(kRowsOfTile, rows - i);
    kTile[count](left + i * left_stride, left_stride, panel, sums);
    finish_rows(count, sums, least + i, step + i, rules, y + i * y_stride, y_stride);
  }
}
#endif

}  // namespace

bool Int8Weight::is_fast() {
#if defined(__x86_64__)
  static const bool has_vnni = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                               __builtin_cpu_supports("avx512vnni");
  return has_vnni;
#else
  return false;
#endif
}

Int8Weight::Int8Weight(const at::Tensor& weight) {
  if (weight.dim() != 2 || !weight.is_cpu() || weight.size(1) < 1 || weight.size(1) > kMostInputs)
    throw Error(fmt::format(
        "Int8Weight: a weight with {} dimensions on '{}'; expected [out, in] on the CPU, in from 1 to {}",
        weight.dim(), weight.device().str(), kMostInputs));
  out_ = weight.size(0);
  in_ = weight.size(1);
  const at::Tensor rows = weight.to(at::kFloat).contiguous();
  const std::int64_t padded_out = rounded_up(out_, kOutputs), padded_in = rounded_up(in_, kTaps);
  packed_ = at::zeros({padded_out / kOutputs, padded_in / kTaps, kOutputs, kTaps}, at::kChar);
  scales_ = at::zeros({padded_out}, at::kFloat);
  sums_ = at::zeros({padded_out}, at::kFloat);
  const float* const from = rows.const_data_ptr<float>();
  auto* const to = packed_.mutable_data_ptr<std::int8_t>();
  for (std::int64_t o = 0; o < out_; ++o) {
    const float* const row = from + o * in_;
    float greatest = 0;
    for (std::int64_t i = 0; i < in_; ++i) greatest = std::max(greatest, std::abs(row[i]));
    const float scale = greatest / 127, inverse = scale > 0 ? 1 / scale : 0;
    std::int8_t* const panel = to + o / kOutputs * kOutputs * padded_in + o % kOutputs * kTaps;
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < in_; ++i) {
      const auto q = static_cast<std::int8_t>(std::clamp(std::nearbyint(row[i] * inverse), -127.0f, 127.0f));
      panel[i / kTaps * kOutputs * kTaps + i % kTaps] = q;
      sum += q;
    }
    scales_.mutable_data_ptr<float>()[o] = scale;
    sums_.mutable_data_ptr<float>()[o] = scale * static_cast<float>(sum);
  }
}

at::Tensor Int8Weight::to_float() const {
  at::Tensor result = packed_.to(at::kFloat).permute({0, 2, 1, 3}).reshape({scales_.size(0), -1});
  return result.mul_(scales_.unsqueeze(1)).narrow(0, 0, out_).narrow(1, 0, in_).contiguous();
}

std::int32_t Int8Weight::sum(std::int64_t o) const {
  const float scale = scales_.const_data_ptr<float>()[o];
  return scale > 0 ? static_cast<std::int32_t>(std::lround(sums_.const_data_ptr<float>()[o] / scale)) : 0;
}

at::Tensor Int8Weight::product(const at::Tensor& x, const at::Tensor& bias, bool gelu) const {
  if (!x.is_cpu() || x.scalar_type() != at::kFloat || x.dim() < 1 || x.size(-1) != in_)
    throw Error(
        fmt::format("Int8Weight: activations of {} on '{}'; expected float32 on the CPU with {} channels",
                    c10::toString(x.scalar_type()), x.device().str(), in_));
  const at::Tensor input = x.contiguous(), offsets = bias.defined() ? bias.contiguous() : bias;
  std::vector<std::int64_t> shape = input.sizes().vec();
  shape.back() = out_;
  at::Tensor result = at::empty(shape, input.options());
  const std::int64_t rows = input.numel() / in_, panels = scales_.size(0) / kOutputs;
  const bool fast = is_fast();
  const float* const from = input.const_data_ptr<float>();
  float* const to = result.mutable_data_ptr<float>();
  at::parallel_for(0, (rows + kRowsOfBlock - 1) / kRowsOfBlock, 1, [&](std::int64_t begin, std::int64_t end) {
    RoundedRows rounded(kRowsOfBlock, in_);
    for (std::int64_t first = begin * kRowsOfBlock; first < std::min(rows, end * kRowsOfBlock);
         first += kRowsOfBlock) {
      const std::int64_t count = std::min(kRowsOfBlock, rows - first);
      for (std::int64_t r = 0; r < count; ++r) {
        const auto at = static_cast<std::size_t>(r);
        std::uint8_t* const bytes = rounded.values.data() + r * rounded.stride;
#if defined(__x86_64__)
        if (fast) {
          round_row_vnni(from + (first + r) * in_, in_, bytes, rounded.least[at], rounded.step[at]);
          continue;
        }
#endif
        round_row(from + (first + r) * in_, in_, bytes, rounded.least[at], rounded.step[at]);
      }
      for (std::int64_t p = 0; p < panels; ++p) {
        const PanelRules rules{scales_.const_data_ptr<float>() + p * kOutputs,
                               sums_.const_data_ptr<float>() + p * kOutputs,
                               offsets.defined() ? offsets.const_data_ptr<float>() + p * kOutputs : nullptr,
                               std::min(kOutputs, out_ - p * kOutputs), gelu};
        const std::int8_t* const panel =
            packed_.const_data_ptr<std::int8_t>() + p * kOutputs * rounded.stride;
        float* const y = to + first * out_ + p * kOutputs;
        auto* multiply = product_rows;
#if defined(__x86_64__)
        if (fast) multiply = product_rows_vnni;
#endif
        multiply(count, rounded.values.data(), rounded.stride, panel, rounded.least.data(),
                 rounded.step.data(), rules, y, out_);
      }
    }
  });
  return result;
}

}  // namespace imatch
