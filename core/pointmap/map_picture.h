// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include "image/image.h"

namespace imatch {

/// Two rows: the canonical maps of the first layer as predicted and as they should be, coloured by position
/// within the box of the latter, where the target is occupied. output [N, 8 L, H, W], target [N, 7 L, H, W].
Image map_picture(const at::Tensor& output, const at::Tensor& target);

}  // namespace imatch
