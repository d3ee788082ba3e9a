// SPDX-License-Identifier: Apache-2.0
#pragma once

// Built for the plain processor and for AVX2; the loader picks. Neither contracts a product and a sum, and
// loops run over independent sums: both give the same results. (Sanitizers run before the loader's choice is
// possible.)
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define IMATCH_WITH_AVX2 __attribute__((target_clones("avx2", "default")))
#else
#define IMATCH_WITH_AVX2
#endif
