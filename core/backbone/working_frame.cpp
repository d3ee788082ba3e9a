// SPDX-License-Identifier: Apache-2.0
#include "backbone/working_frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"

namespace imatch {
namespace {

constexpr std::int64_t kMostPixels = std::int64_t{1} << 24;

}  // namespace

ImageSize WorkingFrame::size_of(const Image& image) const {
  if (image.empty()) throw Error("backbone: the image is empty");
  const std::int64_t longer = std::max(image.width, image.height);
  const std::int64_t shorter = std::min(image.width, image.height);
  const std::int64_t enlarged = mode == "shorter" ? longer * image_size_px / shorter : image_size_px;
  if (enlarged * image_size_px > kMostPixels && mode == "shorter")
    throw Failure(
        code::kTooLarge,
        fmt::format("backbone: an image of {} x {} px with its shorter side resized to {} px would have more "
                    "than {} pixels; use resize = 'longer' or 'exact'",
                    image.width, image.height, image_size_px, kMostPixels));
  ResizeOptions options;
  options.mode = mode;
  options.size = image_size_px;
  options.multiple = stride_px;
  return resized_size({image.width, image.height}, options);
}

Image WorkingFrame::resized(const Image& image) const {
  const ImageSize size = size_of(image);
  if (size.width == image.width && size.height == image.height) return image;
  return resize_to(image, size, "bicubic");
}

Affine2 WorkingFrame::original_from_grid(const Image& image) const {
  const ImageSize size = size_of(image);
  const double x_scale = 1.0 * stride_px * image.width / size.width;
  const double y_scale = 1.0 * stride_px * image.height / size.height;
  return {{x_scale, 0, 0, 0, y_scale, 0}};
}

std::vector<std::vector<std::size_t>> batches_of_one_size(std::span<const Image* const> images,
                                                          const WorkingFrame& frame, std::size_t limit) {
  std::vector<std::vector<std::size_t>> batches;
  std::map<std::pair<int, int>, std::size_t> open;  // size -> its last batch
  for (std::size_t i = 0; i < images.size(); ++i) {
    const ImageSize size = frame.size_of(*images[i]);
    const auto [place, is_new] = open.try_emplace({size.width, size.height}, batches.size());
    if (!is_new && batches[place->second].size() >= limit) place->second = batches.size();
    if (place->second == batches.size()) batches.emplace_back();
    batches[place->second].push_back(i);
  }
  return batches;
}

}  // namespace imatch
