// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace imatch {

/// The centres of `count` clusters of the rows, [count, D] float32, by FAISS: Lloyd's k-means with Euclidean
/// distances, from rows drawn by `seed`; a cluster that loses its last row takes half of a large one's. All
/// rows count. rows: [N, D] float32 on the CPU, N >= count >= 1.
at::Tensor k_means(const at::Tensor& rows, int count, int iterations, std::uint64_t seed);

}  // namespace imatch
