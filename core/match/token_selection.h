// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include "feature/features.h"

namespace imatch {

/// Which tokens of an image take part in matching.
struct TokenSelection {
  double keypoint_th = 0.015;  ///< On the min-max normalised L2 norm; in [0, 1].
  int max_features = 1000;     ///< >= 1.
};

/// The tokens of one image that are left, ready for cosine similarity.
struct SelectedTokens {
  at::Tensor indices;  ///< [N] int64 on the CPU, ascending, into the full token grid.
  at::Tensor unit;  ///< [N, D] float32 on the tokens' device; rows of length 1, or 0 where the token is zero.
};

/// Keeps the tokens whose L2 norm, min-max normalised over the image to [0, 1], is at least keypoint_th (the
/// strongest is always kept); of these at most max_features, evenly spaced by index: the i-th of m kept out
/// of n is token floor(i (n - 1) / (m - 1)), which is torch.linspace(0, n - 1, m).long() without its
/// rounding. Norms that differ by no more than rounding (unit-length descriptors) tell nothing, all tokens
/// then pass. Half and bfloat16 tokens are computed in float32. No tokens give [0] and [0, D]. `name` ("a")
/// begins messages. Throws Error for tokens that are not [rows * cols, D] or not floating point, and for a
/// NaN or infinite value, naming the token.
SelectedTokens select_tokens(const Features& features, const TokenSelection& selection, const char* name);

}  // namespace imatch
