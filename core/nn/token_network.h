// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace imatch {

/// Tokens of N images of one size.
struct TokenGrid {
  at::Tensor tokens;   ///< [N, rows * cols, D], row-major over the grid.
  at::Tensor globals;  ///< [N, D]: the vector of each image, such as its class token.
  std::int64_t rows = 0;
  std::int64_t cols = 0;
};

/// A network that makes a grid of tokens. Immutable; calls may come from several threads. Inference only.
class TokenNetwork {
 public:
  virtual ~TokenNetwork() = default;
  /// images [N, 3, H, W] normalised, of the network's device and type; H and W are multiples of stride().
  virtual TokenGrid forward(const at::Tensor& images) const = 0;
  /// Side of a token in pixels.
  virtual int stride() const = 0;
};

}  // namespace imatch
