// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>
#include <limits>

/// What the kernels of attention have in common: AVX-512 with compilers' vectors, and nothing else.
#if defined(__x86_64__)
#define IMATCH_AVX512 [[gnu::target("avx512f,avx512dq,avx512vl,avx512bw,fma")]]

namespace imatch::attention_lanes {

inline constexpr std::int64_t kLanes = 16;
inline constexpr std::int64_t kPanel = 64;    ///< Keys of a panel, and columns of a tile: four registers.
inline constexpr int kTileRows = 6;           ///< 24 of 32 registers are sums.
inline constexpr std::int64_t kQueries = 24;  ///< Of a block.

using Lanes = float __attribute__((vector_size(64)));
using LooseLanes = float __attribute__((vector_size(64), aligned(4), may_alias));
using IntLanes = std::int32_t __attribute__((vector_size(64)));

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
IMATCH_AVX512 inline float exponentials(float* row, std::int64_t n, std::int64_t padded, float scale) {
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

inline Head head_of(const at::Tensor& all, std::int64_t image, std::int64_t head) {
  return {all.const_data_ptr<float>() + image * all.stride(0) + head * all.stride(1), all.stride(2)};
}

/// Attention of all heads, [N, tokens, heads * D], blocks of queries shared among the threads. `make(tokens,
/// D)` gives each its working memory: use(keys, values) of a head, then attend(queries, first, count, out,
/// stride).
template <typename Make>
at::Tensor attend_heads(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                        const Make& make) {
  const std::int64_t images = query.size(0), heads = query.size(1), tokens = query.size(2),
                     dim = query.size(3);
  at::Tensor result = at::empty({images, tokens, heads * dim}, query.options());
  float* const out = result.mutable_data_ptr<float>();
  const std::int64_t blocks = (tokens + kQueries - 1) / kQueries;
  at::parallel_for(0, images * heads * blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    auto attention = make(tokens, dim);
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

}  // namespace imatch::attention_lanes
#endif
