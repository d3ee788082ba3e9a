// SPDX-License-Identifier: Apache-2.0
#include "nn/attention_bf16.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "nn/attention_lanes.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define IMATCH_BF16 [[gnu::target("avx512f,avx512dq,avx512vl,avx512bw,avx512bf16,fma")]]
#endif

namespace imatch {

#if defined(__x86_64__)
namespace {

using namespace attention_lanes;
using Pair = std::uint32_t;  ///< Two bfloat16 that one instruction multiplies and adds.

constexpr std::int64_t kPairsOfRegister = 16;

/// Bits of 32 floats in bfloat16: those of a, then those of b.
IMATCH_BF16 inline __m512i bf16_of(__m512 a, __m512 b) {
  return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(b, a));
}

/// product[rows][64] = left[rows][pairs] right[pairs][64 columns].
template <int rows>
IMATCH_BF16 void multiply_pairs(const Pair* left, std::int64_t left_stride, const Pair* right,
                                std::int64_t pairs, float* product, std::int64_t product_stride) {
  __m512 sums[rows][4];
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) sums[i][j] = _mm512_setzero_ps();
  for (std::int64_t k = 0; k < pairs; ++k) {
    __m512i columns[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) columns[j] = _mm512_loadu_si512(right + k * kPanel + j * kPairsOfRegister);
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i) {
      const __m512i value = _mm512_set1_epi32(static_cast<std::int32_t>(left[i * left_stride + k]));
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j)
        sums[i][j] = _mm512_dpbf16_ps(sums[i][j], reinterpret_cast<__m512bh>(value),
                                      reinterpret_cast<__m512bh>(columns[j]));
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) _mm512_storeu_ps(product + i * product_stride + j * kLanes, sums[i][j]);
}

void multiply_pair_rows(std::int64_t rows, const Pair* left, std::int64_t left_stride, const Pair* right,
                        std::int64_t pairs, float* product, std::int64_t product_stride) {
  constexpr decltype(&multiply_pairs<1>) kTile[] = {nullptr,           multiply_pairs<1>, multiply_pairs<2>,
                                                    multiply_pairs<3>, multiply_pairs<4>, multiply_pairs<5>,
                                                    multiply_pairs<6>};
  for (std::int64_t i = 0; i < rows; i += kTileRows)
    kTile[std::min<std::int64_t>(kTileRows, rows - i)](left + i * left_stride, left_stride, right, pairs,
                                                       product + i * product_stride, product_stride);
}

/// Pairs of neighbours in a row; count is a multiple of 32.
IMATCH_BF16 void round_row_to_pairs(const float* row, std::int64_t count, Pair* pairs) {
  for (std::int64_t i = 0; i < count; i += 32)
    _mm512_storeu_si512(pairs + i / 2, bf16_of(_mm512_loadu_ps(row + i), _mm512_loadu_ps(row + i + 16)));
}

/// Pairs of two rows below each other; `below` may be nullptr, a row of zeros.
IMATCH_BF16 void round_rows_to_pairs(const float* row, const float* below, std::int64_t count, Pair* pairs) {
  alignas(64) std::int16_t order[32];
  for (std::int16_t i = 0; i < 32; ++i) order[i] = static_cast<std::int16_t>(i / 2 + i % 2 * 16);
  const __m512i interleaved = _mm512_load_si512(order);
  for (std::int64_t i = 0; i < count; i += kPairsOfRegister) {
    const __m512 lower = below ? _mm512_loadu_ps(below + i) : _mm512_setzero_ps();
    _mm512_storeu_si512(pairs + i, _mm512_maskz_permutexvar_epi16(~__mmask32{0}, interleaved,
                                                                  bf16_of(_mm512_loadu_ps(row + i), lower)));
  }
}

/// Working memory of a thread, and the attention of blocks of queries to one head's keys and values.
class Bf16HeadAttention {
 public:
  Bf16HeadAttention(std::int64_t num_tokens, std::int64_t dim)
      : num_tokens_(num_tokens),
        dim_(dim),
        padded_((num_tokens + kPanel - 1) / kPanel * kPanel),
        keys_(static_cast<std::size_t>(padded_ * dim / 2)),
        values_(keys_.size()),
        queries_(static_cast<std::size_t>(kQueries * dim / 2)),
        weights_(static_cast<std::size_t>(kQueries * padded_ / 2)),
        key_(static_cast<std::size_t>(dim / 2)),
        scores_(static_cast<std::size_t>(kQueries * padded_)) {}

  void use(const Head& keys, const Head& values) {
    for (std::int64_t t = 0; t < num_tokens_; ++t) {
      round_row_to_pairs(keys[t], dim_, key_.data());
      Pair* const column = keys_.data() + t / kPanel * kPanel * dim_ / 2 + t % kPanel;
      for (std::int64_t d = 0; d < dim_ / 2; ++d) column[d * kPanel] = key_[static_cast<std::size_t>(d)];
      if (t % 2 != 0) continue;
      for (std::int64_t d = 0; d < dim_; d += kPanel)
        round_rows_to_pairs(values[t] + d, t + 1 < num_tokens_ ? values[t + 1] + d : nullptr, kPanel,
                            values_.data() + d * padded_ / 2 + t / 2 * kPanel);
    }
  }

  void attend(const Head& queries, std::int64_t first, std::int64_t count, float* out,
              std::int64_t out_stride) {
    for (std::int64_t q = 0; q < count; ++q)
      round_row_to_pairs(queries[first + q], dim_, queries_.data() + q * dim_ / 2);
    for (std::int64_t t = 0; t < padded_; t += kPanel)
      multiply_pair_rows(count, queries_.data(), dim_ / 2, keys_.data() + t * dim_ / 2, dim_ / 2,
                         scores_.data() + t, padded_);
    const float scale = 1.0f / std::sqrt(static_cast<float>(dim_));
    float share[kQueries];
    for (std::int64_t q = 0; q < count; ++q) {
      float* const row = scores_.data() + q * padded_;
      share[q] = 1.0f / exponentials(row, num_tokens_, padded_, scale);
      round_row_to_pairs(row, padded_, weights_.data() + q * padded_ / 2);
    }
    for (std::int64_t d = 0; d < dim_; d += kPanel)
      multiply_pair_rows(count, weights_.data(), padded_ / 2, values_.data() + d * padded_ / 2,
                         (num_tokens_ + 1) / 2, out + first * out_stride + d, out_stride);
    for (std::int64_t q = 0; q < count; ++q)
      for (std::int64_t d = 0; d < dim_; ++d) out[(first + q) * out_stride + d] *= share[q];
  }

 private:
  std::int64_t num_tokens_, dim_, padded_;
  std::vector<Pair> keys_;     ///< [padded / 64][D / 2][64]: transposed, panel by panel.
  std::vector<Pair> values_;   ///< [D / 64][padded / 2][64].
  std::vector<Pair> queries_;  ///< [kQueries][D / 2].
  std::vector<Pair> weights_;  ///< [kQueries][padded / 2].
  std::vector<Pair> key_;
  std::vector<float> scores_;  ///< [kQueries][padded].
};

}  // namespace

bool multiplies_bf16() {
  static const bool has_it = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
                             __builtin_cpu_supports("avx512bf16");
  return has_it;
}

at::Tensor attention_bf16(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
  return attend_heads(query, key, value,
                      [](std::int64_t tokens, std::int64_t dim) { return Bf16HeadAttention(tokens, dim); });
}
#else
bool multiplies_bf16() {
  return false;
}
at::Tensor attention_bf16(const at::Tensor&, const at::Tensor&, const at::Tensor&) {
  throw std::logic_error("attention_bf16");
}
#endif

}  // namespace imatch
