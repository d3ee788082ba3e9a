// SPDX-License-Identifier: Apache-2.0
#include "index/four_distances.h"

namespace imatch {
namespace {

// Inlined into functions for either processor, and compiled for each.
[[gnu::always_inline]] inline void inner_products(const float* query, const float* const rows[4],
                                                  std::int64_t dim, float out[4]) {
  const float *a = rows[0], *b = rows[1], *c = rows[2], *d = rows[3];
  float sum_a = 0, sum_b = 0, sum_c = 0, sum_d = 0;
#pragma omp simd reduction(+ : sum_a, sum_b, sum_c, sum_d)
  for (std::int64_t i = 0; i < dim; ++i) {
    const float q = query[i];
    sum_a += q * a[i];
    sum_b += q * b[i];
    sum_c += q * c[i];
    sum_d += q * d[i];
  }
  out[0] = -sum_a, out[1] = -sum_b, out[2] = -sum_c, out[3] = -sum_d;
}

[[gnu::always_inline]] inline void square_distances(const float* query, const float* const rows[4],
                                                    std::int64_t dim, float out[4]) {
  const float *a = rows[0], *b = rows[1], *c = rows[2], *d = rows[3];
  float sum_a = 0, sum_b = 0, sum_c = 0, sum_d = 0;
#pragma omp simd reduction(+ : sum_a, sum_b, sum_c, sum_d)
  for (std::int64_t i = 0; i < dim; ++i) {
    const float q = query[i];
    sum_a += (q - a[i]) * (q - a[i]);
    sum_b += (q - b[i]) * (q - b[i]);
    sum_c += (q - c[i]) * (q - c[i]);
    sum_d += (q - d[i]) * (q - d[i]);
  }
  out[0] = sum_a, out[1] = sum_b, out[2] = sum_c, out[3] = sum_d;
}

#if defined(__x86_64__)
[[gnu::target("avx2,fma")]] void with_avx2(Metric metric, const float* query, const float* const rows[4],
                                           std::int64_t dim, float out[4]) {
  if (metric == Metric::kInnerProduct)
    inner_products(query, rows, dim, out);
  else
    square_distances(query, rows, dim, out);
}
#endif

void with_any(Metric metric, const float* query, const float* const rows[4], std::int64_t dim, float out[4]) {
  if (metric == Metric::kInnerProduct)
    inner_products(query, rows, dim, out);
  else
    square_distances(query, rows, dim, out);
}

}  // namespace

void four_distances(Metric metric, const float* query, const float* const rows[4], std::int64_t dim,
                    float out[4]) {
#if defined(__x86_64__)
  static const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (has_avx2) return with_avx2(metric, query, rows, dim, out);
#endif
  with_any(metric, query, rows, dim, out);
}

}  // namespace imatch
