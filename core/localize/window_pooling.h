// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace imatch {

/// Vectors of all windows of a token grid.
struct WindowPooling {
  at::Tensor vectors;   ///< [windows, D] or [windows, 2 D] float32; windows row by row.
  at::Tensor coverage;  ///< [windows] float32: share of a window's tokens that are not zero, in [0, 1].
};

/// What pool_tokens gives for each window of rows × cols tokens, one every `step` tokens, of `grid` [R, C, D]
/// float32, whose zero tokens are no tokens and do not count. "backbone" gives coverage alone. Each sum is
/// taken once for all windows: O(windows rows cols D) additions, no copy a window.
WindowPooling pool_windows(const at::Tensor& grid, int rows, int cols, int step, const std::string& pooling);

}  // namespace imatch
