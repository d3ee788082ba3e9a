// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace imatch {

/// A change of coordinates in which the vectors it was learned from have mean 0 and deviation 1 in each, so
/// that what all have in common weighs nothing.
class Whitening {
 public:
  Whitening() = default;
  /// `vectors` [N, D] float32. dims 0: each coordinate by itself, none left out. Else principal components,
  /// the `dims` strongest (Jegou and Chum, "Negative evidences and co-occurrences in image retrieval", 2012);
  /// no more than D or N - 1 of them.
  Whitening(const at::Tensor& vectors, int dims);

  /// [..., D] -> [..., dims], of length one.
  at::Tensor operator()(const at::Tensor& vectors) const;
  /// D.
  std::int64_t dim() const { return mean_.numel(); }

 private:
  at::Tensor mean_;   ///< [D]
  at::Tensor scale_;  ///< [D], or [D, dims]
};

}  // namespace imatch
