// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace imatch {

/// Scaled dot-product attention, softmax(query key^T / sqrt(D)) value, of each head: three tensors
/// [N, heads, tokens, D] of one type and device, in any strides -> [N, tokens, heads * D].
///
/// In float32 on a processor with AVX-512, for D a multiple of 64, this is a kernel of our own: a block of
/// queries goes through all keys while its scores stay in the cache, after T. Dao et al., "FlashAttention",
/// 2022, without its running maximum, since a row of scores fits. Otherwise LibTorch's, whose float32
/// products use AVX2 where MKL does not know the maker, and always where it is to be differentiated. Values
/// differ from LibTorch's by rounding; they depend neither on N nor on the number of threads.
at::Tensor attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value);

}  // namespace imatch
