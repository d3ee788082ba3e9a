// SPDX-License-Identifier: Apache-2.0
#include "backbone/working_frame.h"

#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"
#include "image/normalize.h"
#include "image/resize_float.h"
#include "image/transform.h"

namespace imatch {
namespace {

constexpr std::int64_t kMostPixels = std::int64_t{1} << 24;

int half_down(int difference) {
  return difference >= 0 ? difference / 2 : -((1 - difference) / 2);
}

}  // namespace

ImageSize WorkingFrame::uncut_size_of(const Image& image) const {
  if (image.empty()) throw Error("backbone: the image is empty");
  if (fixed) return *fixed;
  if (processor && processor->stretched) return *processor->stretched;
  const bool keeps = processor ? processor->shorter_px == 0 : mode == "keep";
  const bool cut = processor ? !keeps : mode == "shorter_cut", by_shorter = cut || mode == "shorter";
  const int size_px = processor ? processor->shorter_px : image_size_px;
  const std::int64_t longer = std::max(image.width, image.height);
  const std::int64_t shorter = std::min(image.width, image.height);
  const std::int64_t pixels = keeps        ? longer * shorter
                              : by_shorter ? longer * size_px / shorter * size_px
                                           : 0;
  if (pixels > kMostPixels)
    throw Failure(code::kTooLarge, fmt::format("backbone: an image of {} x {} px with resize = '{}' and "
                                               "image_size = {} would have more than {} pixels; use resize = "
                                               "'longer' or 'exact'",
                                               image.width, image.height, mode, size_px, kMostPixels));
  if (processor && keeps) return {image.width, image.height};
  if (cut) {
    // A picture smaller than one cell would leave nothing.
    const int short_px = std::max(size_px, multiple_px);
    const auto long_px = static_cast<int>(short_px * longer / shorter);
    return image.width < image.height ? ImageSize{short_px, long_px} : ImageSize{long_px, short_px};
  }
  ResizeOptions options;
  options.mode = keeps ? "longer" : mode;
  options.size = keeps ? static_cast<int>(longer) : image_size_px;
  options.multiple = multiple_px;
  return resized_size({image.width, image.height}, options);
}

WorkingFrame::Window WorkingFrame::window_in(ImageSize uncut) const {
  if (fixed) return {.size = uncut};
  Window window{.size = uncut};
  if (processor && processor->crop) {
    window.size = *processor->crop;
    window.left = half_down(uncut.width - window.size.width);
    window.top = half_down(uncut.height - window.size.height);
  }
  const int multiple = processor || mode == "shorter_cut" ? cut_multiple_px : multiple_px;
  window.size = {window.size.width - window.size.width % multiple,
                 window.size.height - window.size.height % multiple};
  if (window.size.width < multiple_px || window.size.height < multiple_px)
    throw Failure(code::kBadFormat, fmt::format("backbone: {} x {} px are left of an image, less than one "
                                                "cell of {} px; use a larger image_size",
                                                window.size.width, window.size.height, multiple_px));
  return window;
}

ImageSize WorkingFrame::size_of(const Image& image) const {
  return window_in(uncut_size_of(image)).size;
}

Image WorkingFrame::resized(const Image& image) const {
  const ImageSize uncut = uncut_size_of(image);
  const Window window = window_in(uncut);
  const bool is_resized = uncut.width != image.width || uncut.height != image.height;
  const bool is_cut = uncut.width != window.size.width || uncut.height != window.size.height;
  if (!is_cut) return is_resized ? resize_to(image, uncut, interpolation) : image;
  const Image whole = is_resized ? resize_to(image, uncut, interpolation) : image;
  if (window.left >= 0 && window.top >= 0)
    return crop(whole, window.left, window.top, window.size.width, window.size.height);
  Image padded(window.size.width, window.size.height);
  const int first = std::max(0, -window.left);  // the first column with samples
  const int count = std::min(window.size.width - first, uncut.width - std::max(0, window.left));
  for (int y = std::max(0, -window.top); y < std::min(window.size.height, uncut.height - window.top); ++y)
    std::copy_n(whole.pixel(std::max(0, window.left), y + window.top), 3 * count, padded.pixel(first, y));
  return padded;
}

at::Tensor WorkingFrame::resized_samples(const Image& image) const {
  if (arithmetic != "float") return normalize(resized(image), normalization("none"))[0];
  const ImageSize uncut = uncut_size_of(image);
  const Window window = window_in(uncut);
  const at::Tensor whole = resize_to_float(image, uncut, interpolation);
  // Beyond the image at either end of an axis; narrow() where there is nothing to pad.
  const auto before = [](int begin) { return std::max(0, -begin); };
  const auto taken = [&](int begin, int length, int side) {
    return std::min(length - before(begin), side - std::max(0, begin));
  };
  const int width = taken(window.left, window.size.width, uncut.width);
  const int height = taken(window.top, window.size.height, uncut.height);
  const at::Tensor part =
      whole.narrow(1, std::max(0, window.top), height).narrow(2, std::max(0, window.left), width);
  if (width == window.size.width && height == window.size.height) return part;
  at::Tensor padded = at::zeros({3, window.size.height, window.size.width}, at::kFloat);
  padded.narrow(1, before(window.top), height).narrow(2, before(window.left), width).copy_(part);
  return padded;
}

Affine2 WorkingFrame::original_from_grid(const Image& image) const {
  const ImageSize uncut = uncut_size_of(image);
  const Window window = window_in(uncut);
  const double x_scale = 1.0 * image.width / uncut.width, y_scale = 1.0 * image.height / uncut.height;
  return {{x_scale * stride_px, 0, x_scale * window.left, 0, y_scale * stride_px, y_scale * window.top}};
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
