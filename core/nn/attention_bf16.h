// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace imatch {

/// Whether the processor multiplies bfloat16 (AVX512_BF16), besides AVX-512.
bool multiplies_bf16();

/// attention() with factors in bfloat16: float32 tensors [N, heads, tokens, D] on the CPU whose last stride
/// is 1, D a multiple of 64, on a processor that multiplies_bf16().
at::Tensor attention_bf16(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value);

}  // namespace imatch
