// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>

namespace imatch {

/// How the tokens of an image become its global vector.
inline constexpr std::string_view kPoolings[] = {"mean", "mean_std", "gem"};

/// tokens [..., N, D] floating -> [..., D] ("mean", "gem") or [..., 2 D] ("mean_std": mean, then the standard
/// deviation over all N). "gem" is the generalised mean with exponent 3 of the tokens clamped to >= 1e-6
/// (Radenovic et al., "Fine-tuning CNN image retrieval with no human annotation", 2018). Not normalised.
at::Tensor pool_tokens(const at::Tensor& tokens, const std::string& pooling);

}  // namespace imatch
