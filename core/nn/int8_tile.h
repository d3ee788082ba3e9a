// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#define IMATCH_VNNI [[gnu::target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma")]]

namespace imatch {

/// With a mask, though it is full: GCC 12 warns falsely of the intrinsics without (GCC bug 105593).
inline constexpr __mmask16 kAllLanes = 0xFFFF;

/// sum += products of unsigned and signed bytes, four by four. GCC 12 gives the intrinsic's result another
/// register than the sum's and copies it back, at the price of half the speed.
IMATCH_VNNI [[gnu::always_inline]] inline void add_quads(__m512i& sum, __m512i bytes, __m512i weights) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(bytes), "v"(weights));
}

/// sums[rows][vectors of 16 outputs] += left[rows][stride] panel[stride / 4][64 outputs][4]. Unrolled, so
/// that the sums never leave their registers: rows * vectors <= 24.
template <int rows, int vectors>
IMATCH_VNNI [[gnu::always_inline]] inline void add_int8_products(const std::uint8_t* left,
                                                                 std::int64_t left_stride,
                                                                 const std::int8_t* panel,
                                                                 __m512i (&sums)[rows][vectors]) {
  for (std::int64_t k = 0; k < left_stride; k += 4) {
    __m512i columns[vectors];
#pragma GCC unroll 4
    for (int j = 0; j < vectors; ++j) columns[j] = _mm512_loadu_si512(panel + k * 64 + j * 64);
#pragma GCC unroll 12
    for (int i = 0; i < rows; ++i) {
      std::int32_t four;
      std::memcpy(&four, left + i * left_stride + k, sizeof four);
      const __m512i values = _mm512_set1_epi32(four);
#pragma GCC unroll 4
      for (int j = 0; j < vectors; ++j) add_quads(sums[i][j], values, columns[j]);
    }
  }
}

/// Four registers of 16 numbers as 64 bytes, rounded and kept within 0 and 255. In each quarter of the result
/// stand those of the same quarter of a, b, c and d: what puts back bytes that were interleaved twice.
IMATCH_VNNI [[gnu::always_inline]] inline __m512i bytes_by_quarters(__m512 a, __m512 b, __m512 c, __m512 d) {
  const __m512i ab =
      _mm512_packs_epi32(_mm512_maskz_cvtps_epi32(kAllLanes, a), _mm512_maskz_cvtps_epi32(kAllLanes, b));
  const __m512i cd =
      _mm512_packs_epi32(_mm512_maskz_cvtps_epi32(kAllLanes, c), _mm512_maskz_cvtps_epi32(kAllLanes, d));
  return _mm512_packus_epi16(ab, cd);
}
/// The same, those of a first, then those of b, c and d.
IMATCH_VNNI [[gnu::always_inline]] inline __m512i bytes_in_order(__m512 a, __m512 b, __m512 c, __m512 d) {
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_maskz_permutexvar_epi32(kAllLanes, order, bytes_by_quarters(a, b, c, d));
}

}  // namespace imatch
#endif
