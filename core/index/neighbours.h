// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace imatch {

/// What a search gives, on the CPU: of each query the k nearest, the nearest first, ties by the smaller id.
struct Neighbours {
  at::Tensor scores;  ///< [queries, k] float32: inner products, or squared distances.
  at::Tensor ids;     ///< [queries, k] int64; -1, with a score of -infinity (inner product) or infinity (l2),
                      ///< where there are fewer than k neighbours.
};

}  // namespace imatch
