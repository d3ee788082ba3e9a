// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <span>

#include "anomaly/method.h"

namespace imatch {

/// One vector for each cell of the first layer: feature maps [N, C_i, H_i, W_i] of one or more layers, on any
/// device -> [N, D, H_0, W_0] float32. Each cell is joined with its neighbourhood (`pooling`, `patch_size`),
/// the other layers are enlarged bilinearly to the first one's grid (align_corners off), and the layers
/// follow in the order given. D is the sum of C_i for 'average', `dims` for 'adaptive'. Throws Error when
/// there is no layer or the layers differ in N.
at::Tensor patch_features(std::span<const at::Tensor> layers, const PatchCoreMethod& method);

/// [N, D, H, W] -> [N * H * W, D], by image, row and column.
at::Tensor patch_rows(const at::Tensor& features);

/// D of patch_features for layers with these numbers of channels.
std::int64_t patch_dims(std::span<const std::int64_t> channels, const PatchCoreMethod& method);

}  // namespace imatch
