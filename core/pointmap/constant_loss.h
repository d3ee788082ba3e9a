// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace imatch {

/// The least loss that a prediction can have which says the same of every pixel of a layer: what a network
/// has to be better than.
class ConstantLoss {
 public:
  /// A target [7 layers, H, W].
  void add(const at::Tensor& target);
  double points() const;
  double occupancy() const;

 private:
  at::Tensor count_, sum_, squares_;  ///< Of each layer: points, their coordinates' sums, sum of squares.
  at::Tensor occupied_;               ///< Sum of the clamped occupancy where the first layer is.
  double learned_ = 0;
};

}  // namespace imatch
