// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace imatch {

/// Farthest-first traversal: at any time the row farthest from the picks so far. Euclidean, by direct
/// difference in float32. Each pick is one pass over the rows, on the CPU over those only that the triangle
/// inequality leaves in question: a row whose nearest pick lies at least twice as far from the new pick as
/// from the row keeps it (C. Elkan, "Using the triangle inequality to accelerate k-means", 2003). The same
/// result on any number of threads.
class FarthestFirst {
 public:
  struct Farthest {
    std::int64_t row = 0;  ///< The first among equals.
    float square = 0;      ///< Its squared distance to the nearest pick.
  };

  /// `rows` [n, D] float32 contiguous, on the CPU or a GPU. There is no pick yet: row i is `squares`[i] away.
  FarthestFirst(at::Tensor rows, const at::Tensor& squares);

  const Farthest& farthest() const { return farthest_; }
  void pick(std::int64_t row);

 private:
  void pick_on_cpu(std::int64_t row);

  at::Tensor rows_;
  at::Tensor squares_;               ///< [n] float32: squared distance to the nearest pick.
  std::vector<std::int32_t> owner_;  ///< Which pick that is; -1: none.
  std::vector<const float*> picks_;
  Farthest farthest_;
};

}  // namespace imatch
