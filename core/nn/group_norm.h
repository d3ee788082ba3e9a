// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace imatch {

/// Group normalisation (Wu and He, 2018), and what else stands between the convolutions of a U-Net. For
/// channels-last tensors on a GPU each of them is a kernel of ours (nn/kernels/group_norm.cu), and so is its
/// gradient: LibTorch has none for that layout, and under autocast computes in float32, for which it reads
/// and writes six times as many bytes. Elsewhere they are the operators of LibTorch that their texts name.
/// Results differ by rounding.

/// True when x [N, C, H, W] is better turned to channels-last before the first convolution: on a GPU, where
/// convolutions are computed by its matrix units (autocast to 16 bits, or TF32 allowed), which take that
/// layout.
bool prefers_channels_last(const at::Tensor& x);

/// silu(group_norm(x)), or without `silu` group_norm(x): x [N, C, H, W] of any type, weight and bias [C].
/// Differentiable.
at::Tensor group_norm(const at::Tensor& x, std::int64_t groups, const at::Tensor& weight,
                      const at::Tensor& bias, double eps, bool silu);

/// (a + b) * scale. Differentiable.
at::Tensor scaled_sum(const at::Tensor& a, const at::Tensor& b, double scale);

}  // namespace imatch
