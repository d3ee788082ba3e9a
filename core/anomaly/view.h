// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

#include "image/image.h"
#include "image/normalize.h"

namespace imatch {

/// Pixels [x, x + width) x [y, y + height) of a picture.
struct PixelRect {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

/// What of a picture goes through the network at a time: squares of `tile_px` that overlap by at least the
/// share `overlap`, the last ones flush with the border, evenly placed between; the whole picture where
/// `tile_px` is 0 or not below either side. By rows.
std::vector<PixelRect> views_of(int width, int height, int tile_px, double overlap);

/// The middle of a part of a picture: `share` of the largest rectangle of the shape height x width that fits
/// into it.
PixelRect centre_of(const PixelRect& rect, int height, int width, double share);

Image cropped(const Image& image, const PixelRect& rect);

/// [3, height, width] float32: resized to exactly that size as torchvision resizes floating-point tensors
/// (bilinear, antialiased, samples / 255), then normalised.
at::Tensor network_input(const Image& image, int height, int width, const Normalization& by);

/// Maps of views laid over each other: [1, 1, h, w] of each view resized bilinearly to the view's size, their
/// mean where views overlap. Returns [height, width] float32.
at::Tensor stitched(std::span<const at::Tensor> maps, std::span<const PixelRect> views, int width,
                    int height);

}  // namespace imatch
