// SPDX-License-Identifier: Apache-2.0
#include "nn/int8_depthwise.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "nn/int8_pointwise.h"

#include "nn/int8_tile.h"

namespace imatch {
namespace {

constexpr std::int64_t kChannelBlock = 64;   ///< Channels of a register of bytes.
constexpr std::int64_t kRowGroup = 4;        ///< Rows whose products one instruction adds.
constexpr std::int64_t kWindowsAtOnce = 16;  ///< Made together: what they see stays in the nearest cache.
constexpr std::size_t kRegisterBytes = 64;

std::int64_t groups_of(std::int64_t kernel) {
  return (kernel + kRowGroup - 1) / kRowGroup;
}

/// Which channel of a block stands in lane i of register j, once four rows of bytes are interleaved.
std::int64_t channel_at(std::int64_t j, std::int64_t lane) {
  return lane / 4 * 16 + j * 4 + lane % 4;
}

#if defined(__x86_64__)
/// Registers of four rows' bytes, interleaved so that those of a channel stand together.
IMATCH_VNNI inline void interleave(const std::uint8_t* const (&rows)[kRowGroup], std::int64_t offset,
                                   __mmask64 mask, std::uint8_t* to) {
  __m512i bytes[kRowGroup];
#pragma GCC unroll 4
  for (int r = 0; r < kRowGroup; ++r)
    bytes[r] = rows[r] ? _mm512_maskz_loadu_epi8(mask, rows[r] + offset) : _mm512_setzero_si512();
  const __m512i low01 = _mm512_unpacklo_epi8(bytes[0], bytes[1]),
                high01 = _mm512_unpackhi_epi8(bytes[0], bytes[1]);
  const __m512i low23 = _mm512_unpacklo_epi8(bytes[2], bytes[3]),
                high23 = _mm512_unpackhi_epi8(bytes[2], bytes[3]);
  _mm512_store_si512(to, _mm512_unpacklo_epi16(low01, low23));
  _mm512_store_si512(to + 64, _mm512_unpackhi_epi16(low01, low23));
  _mm512_store_si512(to + 128, _mm512_unpacklo_epi16(high01, high23));
  _mm512_store_si512(to + 192, _mm512_unpackhi_epi16(high01, high23));
}

/// sums[outputs][4][16] of interleaved columns [..][groups][4][64].
template <int kernel, int groups>
IMATCH_VNNI void sum_windows(const std::uint8_t* columns, std::int64_t stride, std::int64_t outputs,
                             const std::int8_t* weights, std::int32_t* sums) {
  constexpr std::int64_t kColumn = groups * kRowGroup * kChannelBlock;
  for (std::int64_t j = 0; j < kRowGroup; ++j) {
    __m512i weight[kernel][groups];
#pragma GCC unroll 5
    for (int x = 0; x < kernel; ++x)
#pragma GCC unroll 2
      for (int g = 0; g < groups; ++g)
        weight[x][g] = _mm512_loadu_si512(weights + ((j * kernel + x) * groups + g) * kChannelBlock);
    for (std::int64_t o = 0; o < outputs; ++o) {
      const std::uint8_t* const from = columns + o * stride * kColumn + j * kChannelBlock;
      __m512i sum[groups];
#pragma GCC unroll 2
      for (int g = 0; g < groups; ++g) sum[g] = _mm512_setzero_si512();
#pragma GCC unroll 5
      for (int x = 0; x < kernel; ++x)
#pragma GCC unroll 2
        for (int g = 0; g < groups; ++g)
          sum[g] = _mm512_dpbusd_epi32(
              sum[g], _mm512_load_si512(from + x * kColumn + g * kRowGroup * kChannelBlock), weight[x][g]);
      if constexpr (groups == 2) sum[0] = _mm512_add_epi32(sum[0], sum[1]);
      _mm512_store_si512(sums + (o * kRowGroup + j) * 16, sum[0]);
    }
  }
}

IMATCH_VNNI void finish_windows(const std::int32_t* sums, std::int64_t outputs, const float* scales,
                                const float* bias, __mmask64 mask, std::uint8_t* y, std::int64_t y_stride) {
  for (std::int64_t o = 0; o < outputs; ++o) {
    __m512 values[kRowGroup];
#pragma GCC unroll 4
    for (int j = 0; j < kRowGroup; ++j)
      values[j] = _mm512_fmadd_ps(
          _mm512_maskz_cvtepi32_ps(kAllLanes, _mm512_load_si512(sums + (o * kRowGroup + j) * 16)),
          _mm512_loadu_ps(scales + 16 * j), _mm512_loadu_ps(bias + 16 * j));
    _mm512_mask_storeu_epi8(y + o * y_stride, mask,
                            bytes_by_quarters(values[0], values[1], values[2], values[3]));
  }
}
#endif

}  // namespace

Int8Depthwise::Int8Depthwise(const at::Tensor& weight, const at::Tensor& bias, int stride) : stride_(stride) {
  const bool fits = weight.dim() == 4 && weight.is_cpu() && weight.size(1) == 1 &&
                    weight.size(2) == weight.size(3) && (weight.size(2) == 3 || weight.size(2) == 5) &&
                    (stride == 1 || stride == 2);
  if (!fits)
    throw Error(
        fmt::format("Int8Depthwise: a weight with {} dimensions and stride {}; expected [C, 1, k, k] on the "
                    "CPU, k of 3 or 5, and stride 1 or 2",
                    weight.dim(), stride));
  channels_ = weight.size(0);
  kernel_ = weight.size(2);
  const std::int64_t taps = kernel_ * kernel_, groups = groups_of(kernel_);
  const std::int64_t blocks = (channels_ + kChannelBlock - 1) / kChannelBlock;
  const at::Tensor values = weight.to(at::kFloat).contiguous(), offsets = bias.to(at::kFloat).contiguous();
  weights_.resize(static_cast<std::size_t>(taps * channels_));
  for (std::int64_t c = 0; c < channels_; ++c) {
    const float* const from = values.const_data_ptr<float>() + c * taps;
    float greatest = 0;
    for (std::int64_t t = 0; t < taps; ++t) greatest = std::max(greatest, std::abs(from[t]));
    const float inverse = greatest > 0 ? 127 / greatest : 0;
    for (std::int64_t t = 0; t < taps; ++t)
      weights_[static_cast<std::size_t>(t * channels_ + c)] =
          static_cast<std::int8_t>(std::clamp(std::nearbyint(from[t] * inverse), -127.0f, 127.0f));
    // Sums count kRelu6Step and the scale; so do the bytes of the result count kRelu6Step.
    scales_.push_back(greatest / 127);
    bias_.push_back(offsets.const_data_ptr<float>()[c] / kRelu6Step);
  }
  packed_weights_.assign(static_cast<std::size_t>(blocks * kRowGroup * kernel_ * groups * kChannelBlock), 0);
  packed_scales_.assign(static_cast<std::size_t>(blocks * kChannelBlock), 0);
  packed_bias_ = packed_scales_;
  for (std::int64_t b = 0; b < blocks; ++b)
    for (std::int64_t j = 0; j < kRowGroup; ++j)
      for (std::int64_t lane = 0; lane < 16; ++lane) {
        const std::int64_t c = b * kChannelBlock + channel_at(j, lane), at = (b * kRowGroup + j) * 16 + lane;
        if (c >= channels_) continue;
        packed_scales_[at] = scales_[c];
        packed_bias_[at] = bias_[c];
        for (std::int64_t x = 0; x < kernel_; ++x)
          for (std::int64_t y = 0; y < kernel_; ++y)
            packed_weights_[(((b * kRowGroup + j) * kernel_ + x) * groups + y / kRowGroup) * kChannelBlock +
                            lane * kRowGroup + y % kRowGroup] = weights_[(y * kernel_ + x) * channels_ + c];
      }
}

at::Tensor Int8Depthwise::rounded_weight() const {
  at::Tensor result = at::empty({channels_, 1, kernel_, kernel_}, at::kFloat);
  const std::int64_t taps = kernel_ * kernel_;
  for (std::int64_t c = 0; c < channels_; ++c)
    for (std::int64_t t = 0; t < taps; ++t)
      result.mutable_data_ptr<float>()[c * taps + t] = scales_[c] * weights_[t * channels_ + c];
  return result;
}

void Int8Depthwise::row(std::span<const std::uint8_t* const> rows, std::int64_t width, std::int64_t left,
                        std::int64_t outputs, std::uint8_t* y, Memory& memory, bool fast) const {
#if defined(__x86_64__)
  if (fast) return row_by_vnni(rows, width, left, outputs, y, memory);
#endif
  for (std::int64_t o = 0; o < outputs; ++o)
    for (std::int64_t c = 0; c < channels_; ++c) {
      std::int32_t sum = 0;
      for (std::int64_t r = 0; r < kernel_; ++r)
        for (std::int64_t k = 0; k < kernel_; ++k) {
          const std::int64_t x = o * stride_ - left + k;
          if (rows[r] && x >= 0 && x < width)
            sum += std::int32_t{rows[r][x * channels_ + c]} * weights_[(r * kernel_ + k) * channels_ + c];
        }
      const float value = std::fma(static_cast<float>(sum), scales_[c], bias_[c]);
      y[o * channels_ + c] = static_cast<std::uint8_t>(std::clamp(std::nearbyint(value), 0.0f, 255.0f));
    }
}

#if defined(__x86_64__)
IMATCH_VNNI void Int8Depthwise::row_by_vnni(std::span<const std::uint8_t* const> rows, std::int64_t width,
                                            std::int64_t left, std::int64_t outputs, std::uint8_t* y,
                                            Memory& memory) const {
  const std::int64_t groups = groups_of(kernel_), column_bytes = groups * kRowGroup * kChannelBlock;
  const std::int64_t most_columns = (kWindowsAtOnce - 1) * stride_ + kernel_;
  const std::int64_t sum_bytes =
      kWindowsAtOnce * kChannelBlock * static_cast<std::int64_t>(sizeof(std::int32_t));
  memory.resize(static_cast<std::size_t>(most_columns * column_bytes + sum_bytes) + kRegisterBytes);
  auto* const columns =
      reinterpret_cast<std::uint8_t*>((reinterpret_cast<std::uintptr_t>(memory.data()) + kRegisterBytes - 1) /
                                      kRegisterBytes * kRegisterBytes);
  auto* const sums = reinterpret_cast<std::int32_t*>(columns + most_columns * column_bytes);
  const std::uint8_t* seen[2][kRowGroup] = {};
  for (std::int64_t r = 0; r < kernel_; ++r) seen[r / kRowGroup][r % kRowGroup] = rows[r];
  for (std::int64_t c = 0; c < channels_; c += kChannelBlock) {
    const std::int64_t here = std::min(kChannelBlock, channels_ - c), block = c / kChannelBlock;
    const __mmask64 mask = here == kChannelBlock ? ~__mmask64{0} : (__mmask64{1} << here) - 1;
    const std::int8_t* const weights = packed_weights_.data() + block * kernel_ * column_bytes;
    for (std::int64_t first = 0; first < outputs; first += kWindowsAtOnce) {
      const std::int64_t count = std::min(kWindowsAtOnce, outputs - first), from = first * stride_ - left;
      for (std::int64_t i = 0; i < (count - 1) * stride_ + kernel_; ++i) {
        const bool is_there = from + i >= 0 && from + i < width;
        for (std::int64_t g = 0; g < groups; ++g)
          interleave(seen[g], is_there ? (from + i) * channels_ + c : 0, is_there ? mask : 0,
                     columns + i * column_bytes + g * kRowGroup * kChannelBlock);
      }
      (kernel_ == 3 ? sum_windows<3, 1> : sum_windows<5, 2>)(columns, stride_, count, weights, sums);
      finish_windows(sums, count, packed_scales_.data() + c, packed_bias_.data() + c, mask,
                     y + first * channels_ + c, channels_);
    }
  }
}
#else
void Int8Depthwise::row_by_vnni(std::span<const std::uint8_t* const>, std::int64_t, std::int64_t,
                                std::int64_t, std::uint8_t*, Memory&) const {}
#endif

}  // namespace imatch
