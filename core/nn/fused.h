// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <utility>

/// What stands between the matrix products of a vision transformer. On a GPU each is one kernel of ours
/// (nn/kernels/), which reads and writes every value once; elsewhere, where NVRTC is missing, and while
/// gradients are wanted it is the LibTorch operators that its text names. Both differ by rounding only:
/// kernels compute in float32 and round once, at the end. fused.cpp decides in one place which of them it is.
namespace imatch::fused {

/// True when x is computed on by kernels: what has a shape of its own for them asks first.
bool has_kernels(const at::Tensor& x);

/// layer_norm over the last dimension: x [..., width] -> the same shape.
at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps);

/// x += update * scale (layer scale and residual connection), and the layer norm of that.
at::Tensor residual_norm(at::Tensor& x, const at::Tensor& update, const at::Tensor& scale,
                         const at::Tensor& weight, const at::Tensor& bias, double eps);

/// gelu(x weight^T + bias), the exact GELU; `bias` may be undefined.
at::Tensor linear_gelu(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

/// silu(gate) * value: two [..., width] of one shape and strides, such as the halves of one product.
at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& value);

/// Queries and keys [N, tokens, heads * D], such as thirds of one product -> the two as [N, heads, tokens,
/// D], rotated: element d of a head with d + D / 2 by the angle whose cosine and sine stand in [tokens, D /
/// 2] float32 (RotaryPositions).
std::array<at::Tensor, 2> rotated_heads(const at::Tensor& query, const at::Tensor& key, std::int64_t heads,
                                        const at::Tensor& cosines, const at::Tensor& sines);

/// Samples [N, height, width, 3] uint8 -> [N, 3, height, width] of type `dtype`: (sample / 255 - mean) / std,
/// for red, green and blue. The bus to a GPU carries a quarter of the bytes of float32.
at::Tensor normalized_pixels(const at::Tensor& samples, const std::array<float, 3>& mean,
                             const std::array<float, 3>& std, c10::ScalarType dtype);

/// Images [N, 3, rows * side, cols * side] -> [N, rows * cols, padded]: the values of each patch one behind
/// the other (channel, y, x), then zeros; `padded` is 3 * side * side or more. A product with the weights of
/// the patch embedding, padded likewise, is the convolution.
at::Tensor patch_rows(const at::Tensor& images, std::int64_t side, std::int64_t padded);

}  // namespace imatch::fused
