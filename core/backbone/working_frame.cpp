// SPDX-License-Identifier: Apache-2.0
#include "backbone/working_frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"
#include "image/transform.h"

namespace imatch {
namespace {

constexpr std::int64_t kMostPixels = std::int64_t{1} << 24;

}  // namespace

ImageSize WorkingFrame::uncut_size_of(const Image& image) const {
  if (image.empty()) throw Error("backbone: the image is empty");
  if (fixed) return *fixed;
  const bool cut = mode == "shorter_cut", by_shorter = cut || mode == "shorter";
  const std::int64_t longer = std::max(image.width, image.height);
  const std::int64_t shorter = std::min(image.width, image.height);
  const std::int64_t pixels = mode == "keep" ? longer * shorter
                              : by_shorter   ? longer * image_size_px / shorter * image_size_px
                                             : 0;
  if (pixels > kMostPixels)
    throw Failure(code::kTooLarge, fmt::format("backbone: an image of {} x {} px with resize = '{}' and "
                                               "image_size = {} would have more than {} pixels; use resize = "
                                               "'longer' or 'exact'",
                                               image.width, image.height, mode, image_size_px, kMostPixels));
  if (cut) {
    // A picture smaller than one cell would leave nothing.
    const int short_px = std::max(image_size_px, multiple_px);
    const auto long_px = static_cast<int>(short_px * longer / shorter);
    return image.width < image.height ? ImageSize{short_px, long_px} : ImageSize{long_px, short_px};
  }
  ResizeOptions options;
  options.mode = mode == "keep" ? "longer" : mode;
  options.size = mode == "keep" ? static_cast<int>(longer) : image_size_px;
  options.multiple = multiple_px;
  return resized_size({image.width, image.height}, options);
}

ImageSize WorkingFrame::size_of(const Image& image) const {
  const ImageSize uncut = uncut_size_of(image);
  if (fixed) return uncut;
  return {uncut.width - uncut.width % multiple_px, uncut.height - uncut.height % multiple_px};
}

Image WorkingFrame::resized(const Image& image) const {
  const ImageSize uncut = uncut_size_of(image), size = size_of(image);
  const bool is_resized = uncut.width != image.width || uncut.height != image.height;
  const bool is_cut = uncut.width != size.width || uncut.height != size.height;
  if (!is_cut) return is_resized ? resize_to(image, uncut, "bicubic") : image;
  return crop(is_resized ? resize_to(image, uncut, "bicubic") : image, 0, 0, size.width, size.height);
}

Affine2 WorkingFrame::original_from_grid(const Image& image) const {
  const ImageSize uncut = uncut_size_of(image);
  const double x_scale = 1.0 * stride_px * image.width / uncut.width;
  const double y_scale = 1.0 * stride_px * image.height / uncut.height;
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
