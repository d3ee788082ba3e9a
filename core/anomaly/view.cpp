// SPDX-License-Identifier: Apache-2.0
#include "anomaly/view.h"

#include <ATen/ops/_upsample_bilinear2d_aa.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace imatch {
namespace {

std::vector<int> view_offsets(int length, int tile, double overlap) {
  if (length <= tile) return {0};
  const double step = std::max(1.0, std::floor(tile * (1 - overlap)));
  const int count = static_cast<int>(std::ceil((length - tile) / step)) + 1;
  std::vector<int> offsets;
  for (int i = 0; i < count; ++i)
    offsets.push_back(static_cast<int>(std::lround(static_cast<double>(length - tile) * i / (count - 1))));
  return offsets;
}

}  // namespace

std::vector<PixelRect> views_of(int width, int height, int tile_px, double overlap) {
  if (tile_px == 0 || (tile_px >= width && tile_px >= height)) return {{0, 0, width, height}};
  std::vector<PixelRect> views;
  for (const int y : view_offsets(height, tile_px, overlap))
    for (const int x : view_offsets(width, tile_px, overlap))
      views.push_back({x, y, std::min(tile_px, width), std::min(tile_px, height)});
  return views;
}

PixelRect centre_of(const PixelRect& rect, int height, int width, double share) {
  const double scale =
      share * std::min(static_cast<double>(rect.width) / width, static_cast<double>(rect.height) / height);
  const int w = std::max(1, static_cast<int>(std::lround(width * scale))),
            h = std::max(1, static_cast<int>(std::lround(height * scale)));
  return {rect.x + (rect.width - w) / 2, rect.y + (rect.height - h) / 2, w, h};
}

Image cropped(const Image& image, const PixelRect& rect) {
  Image part(rect.width, rect.height);
  for (int row = 0; row < rect.height; ++row)
    std::memcpy(part.pixel(0, row), image.pixel(rect.x, rect.y + row),
                static_cast<std::size_t>(rect.width) * 3);
  return part;
}

at::Tensor network_input(const Image& image, int height, int width, const Normalization& by) {
  const at::Tensor bytes =
      at::from_blob(const_cast<std::uint8_t*>(image.rgb.data()), {image.height, image.width, 3}, at::kByte);
  at::Tensor pixels = bytes.permute({2, 0, 1}).unsqueeze(0).to(at::kFloat).contiguous().div_(255);
  if (image.height != height || image.width != width)
    pixels = at::_upsample_bilinear2d_aa(pixels, {height, width}, /*align_corners=*/false);
  const at::Tensor mean = at::tensor(at::ArrayRef<float>(by.mean.data(), 3)).view({1, 3, 1, 1});
  const at::Tensor std = at::tensor(at::ArrayRef<float>(by.std.data(), 3)).view({1, 3, 1, 1});
  return pixels.sub_(mean).div_(std).squeeze(0);
}

at::Tensor stitched(std::span<const at::Tensor> maps, std::span<const PixelRect> views, int width,
                    int height) {
  at::Tensor sum = at::zeros({height, width}, at::kFloat), times = at::zeros({height, width}, at::kFloat);
  for (std::size_t i = 0; i < views.size(); ++i) {
    const PixelRect& view = views[i];
    const at::Tensor map =
        at::upsample_bilinear2d(maps[i], {view.height, view.width}, /*align_corners=*/false);
    const auto place = [&](const at::Tensor& whole) {
      return whole.narrow(0, view.y, view.height).narrow(1, view.x, view.width);
    };
    place(sum).add_(map.view({view.height, view.width}));
    place(times).add_(1);
  }
  return sum.div_(times);
}

}  // namespace imatch
