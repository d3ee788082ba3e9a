// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "retrieval/vocabulary.h"

namespace imatch {

/// Vectors of all windows of a token grid.
struct WindowPooling {
  at::Tensor vectors;   ///< [windows, D], [windows, 2 D] or [windows, K D] float32; windows row by row.
  at::Tensor coverage;  ///< [windows] float32: share of a window's tokens that are not zero, in [0, 1].
};

/// One vector for each window of rows × cols tokens, one every `step` tokens, of `grid` [R, C, D] float32,
/// whose zero tokens are no tokens and do not count: "mean", "mean_std" and "gem" as pool_tokens has them;
/// "vlad": the residuals of the tokens to their nearest word, summed by word and normalised (Jegou et al.,
/// "Aggregating local descriptors into a compact image representation", 2010); "backbone": coverage alone.
/// Each sum is taken once for all windows: O(windows rows cols D) additions, no copy a window.
WindowPooling pool_windows(const at::Tensor& grid, int rows, int cols, int step, const std::string& pooling,
                           const Vocabulary& vocabulary = {});

}  // namespace imatch
