// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <span>
#include <string_view>

#include "image/image.h"

namespace imatch {

/// value = (sample / 255 - mean) / std, for each channel of RGB.
struct Normalization {
  std::array<float, 3> mean{0, 0, 0};
  std::array<float, 3> std{1, 1, 1};
};

/// Names that normalization() knows.
inline constexpr std::string_view kNormalizations[] = {"imagenet", "sat493m", "half", "none"};

/// "imagenet" (0.485 0.456 0.406 / 0.229 0.224 0.225), "sat493m" (DINOv3's satellite weights: 0.430 0.411
/// 0.296 / 0.213 0.156 0.143), "half" (0.5 / 0.5: values in [-1, 1]) or "none" (values in [0, 1]). Throws
/// Error for another name.
const Normalization& normalization(std::string_view name);

/// [N, 3, H, W] float32 on the CPU, contiguous. Equal to torchvision's ToTensor and Normalize bit for bit.
/// Throws Error when there is no image, or their sizes differ.
at::Tensor normalize(std::span<const Image* const> images, const Normalization& by);
at::Tensor normalize(const Image& image, const Normalization& by);

/// Image `index` of [N, 3, H, W], or [3, H, W] with index 0: the inverse of normalize, rounded and clamped to
/// 8 bits. Any floating type and device. Throws Error for another shape, another type or an index out of
/// range.
Image denormalize(const at::Tensor& tensor, const Normalization& by, std::int64_t index = 0);

}  // namespace imatch
