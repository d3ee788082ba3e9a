// SPDX-License-Identifier: Apache-2.0
#include "nn/attention.h"

#include <ATen/ops/scaled_dot_product_attention.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "nn/attention_backends.h"
#include "nn/attention_bf16.h"
#include "nn/attention_lanes.h"
#include "nn/gradients.h"

namespace imatch {
namespace {

#if defined(__x86_64__)
using namespace attention_lanes;

/// product[rows][64] = left[rows][depth] right[depth][64]. Unrolled, so that the sums never leave their
/// registers.
template <int rows>
IMATCH_AVX512 void multiply_tile(const float* left, std::int64_t left_stride, const float* right,
                                 std::int64_t depth, float* product, std::int64_t product_stride) {
  Lanes tile[rows][4];
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) tile[i][j] = Lanes{};
  for (std::int64_t k = 0; k < depth; ++k) {
    const auto* columns = reinterpret_cast<const LooseLanes*>(right + k * kPanel);
    const Lanes column[4] = {columns[0], columns[1], columns[2], columns[3]};
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i) {
      const float value = left[i * left_stride + k];
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) tile[i][j] += value * column[j];
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j)
      *reinterpret_cast<LooseLanes*>(product + i * product_stride + j * kLanes) = tile[i][j];
}

IMATCH_AVX512 void multiply_rows(std::int64_t rows, const float* left, std::int64_t left_stride,
                                 const float* right, std::int64_t depth, float* product,
                                 std::int64_t product_stride) {
  constexpr decltype(&multiply_tile<1>) kTile[] = {nullptr,          multiply_tile<1>, multiply_tile<2>,
                                                   multiply_tile<3>, multiply_tile<4>, multiply_tile<5>,
                                                   multiply_tile<6>};
  for (std::int64_t i = 0; i < rows; i += kTileRows)
    kTile[std::min<std::int64_t>(kTileRows, rows - i)](left + i * left_stride, left_stride, right, depth,
                                                       product + i * product_stride, product_stride);
}

/// The nearest bfloat16, ties to even; not for NaN.
inline float rounded_to_bf16(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  bits = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000;
  std::memcpy(&value, &bits, sizeof bits);
  return value;
}
void round_to_bf16(float* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) values[i] = rounded_to_bf16(values[i]);
}

/// Working memory of a thread, and the attention of blocks of queries to one head's keys and values.
class HeadAttention {
 public:
  /// `rounded`: the factors of all products are rounded to bfloat16.
  HeadAttention(std::int64_t num_tokens, std::int64_t dim, bool rounded)
      : num_tokens_(num_tokens),
        dim_(dim),
        rounded_(rounded),
        padded_((num_tokens + kPanel - 1) / kPanel * kPanel),
        keys_(static_cast<std::size_t>(padded_ * dim)),
        values_(keys_.size()),
        scores_(static_cast<std::size_t>(kQueries * padded_)),
        queries_(static_cast<std::size_t>(rounded ? kQueries * dim : 0)) {}

  void use(const Head& keys, const Head& values) {
    for (std::int64_t t = 0; t < num_tokens_; ++t) {
      float* column = keys_.data() + t / kPanel * kPanel * dim_ + t % kPanel;
      for (std::int64_t d = 0; d < dim_; ++d) column[d * kPanel] = keys[t][d];
      for (std::int64_t d = 0; d < dim_; d += kPanel)
        std::copy_n(values[t] + d, kPanel, values_.data() + d * padded_ + t * kPanel);
    }
    if (!rounded_) return;
    round_to_bf16(keys_.data(), keys_.size());
    round_to_bf16(values_.data(), values_.size());
  }

  IMATCH_AVX512 void attend(const Head& queries, std::int64_t first, std::int64_t count, float* out,
                            std::int64_t out_stride) {
    const float* left = queries[first];
    std::int64_t left_stride = queries.stride;
    if (rounded_) {
      for (std::int64_t q = 0; q < count; ++q)
        std::copy_n(queries[first + q], dim_, queries_.data() + q * dim_);
      round_to_bf16(queries_.data(), queries_.size());
      left = queries_.data();
      left_stride = dim_;
    }
    for (std::int64_t t = 0; t < padded_; t += kPanel)
      multiply_rows(count, left, left_stride, keys_.data() + t * dim_, dim_, scores_.data() + t, padded_);
    const float scale = 1.0f / std::sqrt(static_cast<float>(dim_));
    float share[kQueries];
    for (std::int64_t q = 0; q < count; ++q)
      share[q] = 1.0f / exponentials(scores_.data() + q * padded_, num_tokens_, padded_, scale);
    if (rounded_) round_to_bf16(scores_.data(), scores_.size());
    for (std::int64_t d = 0; d < dim_; d += kPanel)
      multiply_rows(count, scores_.data(), padded_, values_.data() + d * padded_, num_tokens_,
                    out + first * out_stride + d, out_stride);
    for (std::int64_t q = 0; q < count; ++q)
      for (std::int64_t d = 0; d < dim_; ++d) out[(first + q) * out_stride + d] *= share[q];
  }

 private:
  std::int64_t num_tokens_, dim_;
  bool rounded_;
  std::int64_t padded_;
  std::vector<float> keys_;     ///< [padded / 64][D][64]: transposed, panel by panel.
  std::vector<float> values_;   ///< [D / 64][padded][64].
  std::vector<float> scores_;   ///< [kQueries][padded].
  std::vector<float> queries_;  ///< [kQueries][D], rounded.
};

bool suits(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
  static const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                                 __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
  const auto fits = [](const at::Tensor& t) {
    return t.is_cpu() && t.scalar_type() == at::kFloat && t.stride(3) == 1;
  };
  return has_avx512 && query.size(3) % kPanel == 0 && fits(query) && fits(key) && fits(value);
}

at::Tensor attention_avx512(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                            bool rounded) {
  return attend_heads(query, key, value, [rounded](std::int64_t tokens, std::int64_t dim) {
    return HeadAttention(tokens, dim, rounded);
  });
}
#endif

}  // namespace

at::Tensor attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                     AttentionFactors factors) {
  const bool rounded = factors != AttentionFactors::kExact;
#if defined(__x86_64__)
  if (!needs_gradient(query, key, value) && suits(query, key, value))
    return factors == AttentionFactors::kBfloat16 && multiplies_bf16()
               ? attention_bf16(query, key, value)
               : attention_avx512(query, key, value, rounded);
#endif
  // LibTorch's own in bfloat16 takes longer than in float32.
  if (!needs_gradient(query, key, value) && query.scalar_type() == at::kBFloat16 && query.is_cpu() &&
      query.size(3) % 64 == 0 && multiplies_bf16()) {
    const auto of = [](const at::Tensor& t) { return t.to(at::kFloat).contiguous(); };
    return attention_bf16(of(query), of(key), of(value)).to(at::kBFloat16);
  }
  if (rounded && query.scalar_type() == at::kFloat) {
    const auto of = [](const at::Tensor& t) { return t.to(at::kBFloat16).to(at::kFloat); };
    return at::scaled_dot_product_attention(of(query), of(key), of(value)).transpose(1, 2).flatten(2);
  }
  const bool is_short = query.scalar_type() == at::kBFloat16 || query.scalar_type() == at::kHalf;
  if (query.is_cuda() && is_short && !needs_gradient(query, key, value))
    return attention_on_gpu(query, key, value).transpose(1, 2).flatten(2);
  return at::scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2);
}

}  // namespace imatch
