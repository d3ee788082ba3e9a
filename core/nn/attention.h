// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace imatch {

/// How exact the factors of the products of attention are; sums are float32 in any case.
enum class AttentionFactors {
  kExact,
  /// Queries, keys, values and the weights of the softmax are rounded to bfloat16, where tensors are float32
  /// on the CPU: a relative error of 2^-9 each, in half the time where the processor has AVX512_BF16. With
  /// AVX-512 alone the same is computed in float32, so that results do not depend on the processor; without
  /// it, the weights stay unrounded.
  kBfloat16,
  kBfloat16ByFloat,  ///< The same without AVX512_BF16, for tests.
};

/// Scaled dot-product attention, softmax(query key^T / sqrt(D)) value, of each head: three tensors
/// [N, heads, tokens, D] of one type and device, in any strides -> [N, tokens, heads * D].
///
/// In float32 on a processor with AVX-512, for D a multiple of 64, this is a kernel of our own: a block of
/// queries goes through all keys while its scores stay in the cache, after T. Dao et al., "FlashAttention",
/// 2022, without its running maximum, since a row of scores fits. On a GPU in bfloat16 and float16 it is the
/// fastest of LibTorch's kernels (attention_backends.h). Otherwise LibTorch's choice, whose float32
/// products use AVX2 where MKL does not know the maker, and always where it is to be differentiated. Values
/// differ from LibTorch's by rounding; they depend neither on N nor on the number of threads.
at::Tensor attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                     AttentionFactors factors = AttentionFactors::kExact);

}  // namespace imatch
