// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

namespace imatch {

/// scaled_dot_product_attention of bfloat16 or float16 on a GPU, [N, heads, tokens, D] each -> the same
/// shape, by that of LibTorch's kernels (cuDNN's, FlashAttention, the memory-efficient one) which is fastest
/// on this device for this shape: measured when a shape is first seen, a few milliseconds, and kept in
/// `kernels/attention` in the user's cache folder. Where none of them takes it, what LibTorch chooses.
at::Tensor attention_on_gpu(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value);

/// What has been chosen in this process: shapes, and the name of the kernel.
std::map<std::string, std::string> chosen_attention();

}  // namespace imatch
