// SPDX-License-Identifier: Apache-2.0
#include "nn/attention.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "nn/gradients.h"

namespace imatch {
namespace {

#if defined(__x86_64__)
#define IMATCH_AVX512 [[gnu::target("avx512f,avx512dq,avx512vl,avx512bw,fma")]]

constexpr std::int64_t kLanes = 16;
constexpr std::int64_t kPanel = 64;    ///< Keys of a panel, and columns of a tile: four registers.
constexpr int kTileRows = 6;           ///< 24 of 32 registers are sums.
constexpr std::int64_t kQueries = 24;  ///< Of a block.

using Lanes = float __attribute__((vector_size(64)));
using LooseLanes = float __attribute__((vector_size(64), aligned(4), may_alias));
using IntLanes = std::int32_t __attribute__((vector_size(64)));

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

/// exp(x) for x <= 0 to 2 units in the last place; below -87 that of -87. S. Moshier's Cephes library, expf.
IMATCH_AVX512 inline Lanes exponential(Lanes x) {
  const Lanes least = Lanes{} - 87.0f;
  x = x < least ? least : x;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: its last bit counts ones
  const Lanes shifted = x * 1.44269504088896341f + kRound;
  const Lanes n = shifted - kRound;
  const Lanes r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  Lanes p = Lanes{} + 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const IntLanes power = reinterpret_cast<IntLanes>(shifted) << 23;  // n, at the place of the exponent
  return reinterpret_cast<Lanes>(reinterpret_cast<IntLanes>(p) + power);
}

/// Turns a row of n products into exp(scale (product - greatest)); returns their sum. The row has room for
/// `padded` floats, full registers.
IMATCH_AVX512 float exponentials(float* row, std::int64_t n, std::int64_t padded, float scale) {
  std::fill(row + n, row + padded, -std::numeric_limits<float>::infinity());
  auto* const lanes = reinterpret_cast<LooseLanes*>(row);
  const std::int64_t steps = padded / kLanes;
  Lanes most = lanes[0];
  for (std::int64_t i = 1; i < steps; ++i) most = lanes[i] > most ? lanes[i] : most;
  float greatest = most[0];
  for (std::int64_t i = 1; i < kLanes; ++i) greatest = std::max(greatest, most[i]);
  Lanes sums{};
  for (std::int64_t i = 0; i < n / kLanes; ++i) {
    lanes[i] = exponential((lanes[i] - greatest) * scale);
    sums += lanes[i];
  }
  float sum = 0;
  for (std::int64_t i = 0; i < kLanes; ++i) sum += sums[i];
  for (std::int64_t i = n / kLanes; i < steps; ++i) lanes[i] = exponential((lanes[i] - greatest) * scale);
  for (std::int64_t i = n / kLanes * kLanes; i < n; ++i) sum += row[i];
  return sum;
}

/// One head's tokens, D floats each.
struct Head {
  const float* tokens;
  std::int64_t stride;

  const float* operator[](std::int64_t i) const { return tokens + i * stride; }
};

Head head_of(const at::Tensor& all, std::int64_t image, std::int64_t head) {
  return {all.const_data_ptr<float>() + image * all.stride(0) + head * all.stride(1), all.stride(2)};
}

/// Working memory of a thread, and the attention of blocks of queries to one head's keys and values.
class HeadAttention {
 public:
  HeadAttention(std::int64_t num_tokens, std::int64_t dim)
      : num_tokens_(num_tokens),
        dim_(dim),
        padded_((num_tokens + kPanel - 1) / kPanel * kPanel),
        keys_(static_cast<std::size_t>(padded_ * dim)),
        values_(keys_.size()),
        scores_(static_cast<std::size_t>(kQueries * padded_)) {}

  void use(const Head& keys, const Head& values) {
    for (std::int64_t t = 0; t < num_tokens_; ++t) {
      float* column = keys_.data() + t / kPanel * kPanel * dim_ + t % kPanel;
      for (std::int64_t d = 0; d < dim_; ++d) column[d * kPanel] = keys[t][d];
      for (std::int64_t d = 0; d < dim_; d += kPanel)
        std::copy_n(values[t] + d, kPanel, values_.data() + d * padded_ + t * kPanel);
    }
  }

  IMATCH_AVX512 void attend(const Head& queries, std::int64_t first, std::int64_t count, float* out,
                            std::int64_t out_stride) {
    for (std::int64_t t = 0; t < padded_; t += kPanel)
      multiply_rows(count, queries[first], queries.stride, keys_.data() + t * dim_, dim_, scores_.data() + t,
                    padded_);
    const float scale = 1.0f / std::sqrt(static_cast<float>(dim_));
    float share[kQueries];
    for (std::int64_t q = 0; q < count; ++q)
      share[q] = 1.0f / exponentials(scores_.data() + q * padded_, num_tokens_, padded_, scale);
    for (std::int64_t d = 0; d < dim_; d += kPanel)
      multiply_rows(count, scores_.data(), padded_, values_.data() + d * padded_, num_tokens_,
                    out + first * out_stride + d, out_stride);
    for (std::int64_t q = 0; q < count; ++q)
      for (std::int64_t d = 0; d < dim_; ++d) out[(first + q) * out_stride + d] *= share[q];
  }

 private:
  std::int64_t num_tokens_, dim_, padded_;
  std::vector<float> keys_;    ///< [padded / 64][D][64]: transposed, panel by panel.
  std::vector<float> values_;  ///< [D / 64][padded][64].
  std::vector<float> scores_;  ///< [kQueries][padded].
};

bool suits(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
  static const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                                 __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
  const auto fits = [](const at::Tensor& t) {
    return t.is_cpu() && t.scalar_type() == at::kFloat && t.stride(3) == 1;
  };
  return has_avx512 && query.size(3) % kPanel == 0 && fits(query) && fits(key) && fits(value);
}

at::Tensor attention_avx512(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
  const std::int64_t images = query.size(0), heads = query.size(1), tokens = query.size(2),
                     dim = query.size(3);
  at::Tensor result = at::empty({images, tokens, heads * dim}, query.options());
  float* const out = result.mutable_data_ptr<float>();
  const std::int64_t blocks = (tokens + kQueries - 1) / kQueries;
  at::parallel_for(0, images * heads * blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    HeadAttention attention(tokens, dim);
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t image = task / blocks / heads, head = task / blocks % heads, block = task % blocks;
      if (task == begin || block == 0) attention.use(head_of(key, image, head), head_of(value, image, head));
      attention.attend(head_of(query, image, head), block * kQueries,
                       std::min(kQueries, tokens - block * kQueries),
                       out + image * tokens * heads * dim + head * dim, heads * dim);
    }
  });
  return result;
}
#endif

}  // namespace

at::Tensor attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
#if defined(__x86_64__)
  if (!needs_gradient(query, key, value) && suits(query, key, value))
    return attention_avx512(query, key, value);
#endif
  return at::scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2);
}

}  // namespace imatch
