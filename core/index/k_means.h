// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace imatch {

/// Centres of `count` clusters of the rows, [count, D], after `iterations` rounds of Lloyd's algorithm by
/// FAISS, which begins with rows drawn at random and splits the largest cluster where one ran empty. rows:
/// [N, D] float32 on the CPU. The same rows and seed give the same centres on any number of threads. Throws
/// Error for fewer rows than clusters, and for values that are not finite.
at::Tensor k_means(const at::Tensor& rows, int count, int iterations, int seed);

}  // namespace imatch
