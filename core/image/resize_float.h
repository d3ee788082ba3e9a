// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

#include "image/decode.h"
#include "image/image.h"

namespace imatch {

/// The picture as [3, height, width] float32 in [0, 1], resized in float arithmetic: samples divided by 255,
/// then PyTorch's interpolate(antialias = true, align_corners = false), whose "bicubic" has a = -0.5 and is
/// not clamped. This is how torchvision resizes tensors; resize_to (resize.h) is how Pillow resizes pictures
/// of 8 bits. Throws Error for an empty picture, a size below 1 or another
/// filter than "bilinear", "bicubic" and "area".
at::Tensor resize_to_float(const Image& image, ImageSize size, std::string_view filter);

}  // namespace imatch
