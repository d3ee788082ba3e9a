// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include "backbone/token_grids.h"

namespace imatch {

/// A network that makes a grid of tokens. Immutable; calls may come from several threads. Inference only.
class DinoNetwork {
 public:
  virtual ~DinoNetwork() = default;
  /// images [N, 3, H, W] normalised, of the network's device and type; H and W are multiples of stride().
  virtual TokenGrid forward(const at::Tensor& images) const = 0;
  /// Side of a token in pixels.
  virtual int stride() const = 0;
};

}  // namespace imatch
