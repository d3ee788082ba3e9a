// SPDX-License-Identifier: Apache-2.0
#include "image/resize.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "image/resample_weights.h"
#include "image/with_avx2.h"

namespace imatch {
namespace {

constexpr int kLargestResizedSide = 65536;
constexpr std::int32_t kHalf = 1 << (ResampleWeights::kWeightBits - 1);

/// Rows that go through the horizontal pass together, so that its inner loop runs over neighbouring bytes.
constexpr int kRows = 8;
constexpr int kBlock = 3 * kRows;

inline std::uint8_t to_sample(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> ResampleWeights::kWeightBits, 0, 255));
}

/// [rows][width][3] -> [width][3][kRows]; rows that are missing at the lower end are left as they are.
void interleave(const std::uint8_t* in, std::size_t row_bytes, int rows, std::uint8_t* out) {
  for (int r = 0; r < rows; ++r) {
    const std::uint8_t* row = in + static_cast<std::size_t>(r) * row_bytes;
    for (std::size_t i = 0; i < row_bytes; ++i) out[i * kRows + static_cast<std::size_t>(r)] = row[i];
  }
}

IMATCH_WITH_AVX2 void shrink_rows(const ResampleWeights& weights, const std::uint8_t* block, int rows,
                                  std::uint8_t* out) {
  const std::size_t row_bytes = 3 * static_cast<std::size_t>(weights.out);
  for (int i = 0; i < weights.out; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::int32_t* weight = weights.weight.data() + at * static_cast<std::size_t>(weights.stride);
    const std::uint8_t* in = block + static_cast<std::size_t>(weights.first[at]) * kBlock;
    std::int32_t sum[kBlock];
    for (int j = 0; j < kBlock; ++j) sum[j] = kHalf;
    for (int k = 0; k < weights.count[at]; ++k, in += kBlock) {
      const std::int32_t w = weight[k];
      for (int j = 0; j < kBlock; ++j) sum[j] += w * in[j];
    }
    for (int c = 0; c < 3; ++c)
      for (int r = 0; r < rows; ++r)
        out[static_cast<std::size_t>(r) * row_bytes + 3 * at + static_cast<std::size_t>(c)] =
            to_sample(sum[c * kRows + r]);
  }
}

/// One row of the result from `count` rows of the input.
IMATCH_WITH_AVX2 void combine_rows(const std::uint8_t* in, std::size_t row_bytes, const std::int32_t* weight,
                                   int count, std::uint8_t* out) {
  constexpr std::size_t kChunk = 256;  // the sums stay in the first-level cache
  for (std::size_t begin = 0; begin < row_bytes; begin += kChunk) {
    const std::size_t size = std::min(kChunk, row_bytes - begin);
    std::int32_t sum[kChunk];
    for (std::size_t j = 0; j < size; ++j) sum[j] = kHalf;
    for (int k = 0; k < count; ++k) {
      const std::int32_t w = weight[k];
      const std::uint8_t* row = in + static_cast<std::size_t>(k) * row_bytes + begin;
      for (std::size_t j = 0; j < size; ++j) sum[j] += w * row[j];
    }
    for (std::size_t j = 0; j < size; ++j) out[begin + j] = to_sample(sum[j]);
  }
}

Image resample_width(const Image& image, const ResampleWeights& weights) {
  Image result(weights.out, image.height);
  const std::size_t row_bytes = 3 * static_cast<std::size_t>(image.width);
  const int blocks = (result.height + kRows - 1) / kRows;
  at::parallel_for(0, blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::uint8_t> block(row_bytes * kRows);
    for (auto b = static_cast<int>(begin); b < end; ++b) {
      const int y = b * kRows;
      const int rows = std::min(kRows, result.height - y);
      interleave(image.pixel(0, y), row_bytes, rows, block.data());
      shrink_rows(weights, block.data(), rows, result.pixel(0, y));
    }
  });
  return result;
}

Image resample_height(const Image& image, const ResampleWeights& weights) {
  Image result(image.width, weights.out);
  const std::size_t row_bytes = 3 * static_cast<std::size_t>(image.width);
  at::parallel_for(0, weights.out, 16, [&](std::int64_t begin, std::int64_t end) {
    for (auto y = static_cast<int>(begin); y < end; ++y) {
      const auto at = static_cast<std::size_t>(y);
      combine_rows(image.pixel(0, weights.first[at]), row_bytes,
                   weights.weight.data() + at * static_cast<std::size_t>(weights.stride), weights.count[at],
                   result.pixel(0, y));
    }
  });
  return result;
}

/// Each pass rounds and clips to 8 bits, so their order shows where bicubic overshoots a hard edge. This is
/// Pillow 13's order, as observed; Pillow 11 always begins with the width.
bool height_first(ImageSize from, ImageSize to) {
  return to.height < from.height && from.height - to.height > 2 * (from.width - to.width);
}

/// Pillow holds a box, and its extent, in single precision.
AxisPart in_single_precision(double begin, double end) {
  const auto first = static_cast<float>(begin), extent = static_cast<float>(end) - first;
  return {first, static_cast<double>(first) + static_cast<double>(extent)};
}

int to_multiple(int side, const ResizeOptions& options) {
  const int m = options.multiple;
  int count = (side + m / 2) / m;
  if (options.rounding == "down") count = side / m;
  if (options.rounding == "up") count = (side + m - 1) / m;
  return std::max(1, count) * m;
}

ImageSize proportional(ImageSize original, int side, int size) {
  const auto scaled = [&](int other) {
    return std::max(1, static_cast<int>(std::floor(static_cast<double>(other) * size / side + 0.5)));
  };
  return {scaled(original.width), scaled(original.height)};
}

}  // namespace

ImageSize resized_size(ImageSize original, const ResizeOptions& options) {
  if (original.width < 1 || original.height < 1)
    throw Error(
        fmt::format("resize: a picture of {} x {} px has no pixels", original.width, original.height));
  const int shorter = std::min(original.width, original.height);
  const int longer = std::max(original.width, original.height);
  ImageSize size = original;
  if (options.mode == "exact") {
    if ((options.width == 0) != (options.height == 0))
      throw Error(fmt::format("resize: mode 'exact' needs width and height, got {} x {}", options.width,
                              options.height));
    size =
        options.width == 0 ? ImageSize{options.size, options.size} : ImageSize{options.width, options.height};
  } else if (options.mode != "keep") {
    size = proportional(original, options.mode == "shorter" ? shorter : longer, options.size);
  }
  if (options.only_shrink && (size.width > original.width || size.height > original.height)) size = original;
  size = {to_multiple(size.width, options), to_multiple(size.height, options)};
  if (size.width > kLargestResizedSide || size.height > kLargestResizedSide)
    throw Error(fmt::format("resize: {} x {} px would become {} x {} px; no side may exceed {} px",
                            original.width, original.height, size.width, size.height, kLargestResizedSide));
  return size;
}

Image resize_part(const Image& image, const PictureBox& part, ImageSize size, std::string_view filter) {
  if (image.empty()) throw Error("resize: the picture has no pixels");
  if (size.width < 1 || size.height < 1)
    throw Error(
        fmt::format("resize: {} x {} px is not allowed; expected sides >= 1", size.width, size.height));
  if (!(part.left >= 0 && part.top >= 0 && part.left < part.right && part.top < part.bottom &&
        part.right <= image.width && part.bottom <= image.height))
    throw Error(fmt::format("resize: the part from ({}, {}) to ({}, {}) is not inside {} x {} px", part.left,
                            part.top, part.right, part.bottom, image.width, image.height));
  const ResampleWeights across =
      resample_weights(image.width, size.width, filter, in_single_precision(part.left, part.right));
  const ResampleWeights down =
      resample_weights(image.height, size.height, filter, in_single_precision(part.top, part.bottom));
  const bool change_width = size.width != image.width || part.left > 0 || part.right < image.width;
  const bool change_height = size.height != image.height || part.top > 0 || part.bottom < image.height;
  if (!change_width) return change_height ? resample_height(image, down) : image;
  if (!change_height) return resample_width(image, across);
  return height_first({image.width, image.height}, size)
             ? resample_width(resample_height(image, down), across)
             : resample_height(resample_width(image, across), down);
}

Image resize_to(const Image& image, ImageSize size, std::string_view filter) {
  return resize_part(image, {0, 0, 1.0 * image.width, 1.0 * image.height}, size, filter);
}

Image fit(const Image& image, ImageSize size, std::string_view filter) {
  if (image.empty() || size.width < 1 || size.height < 1) return resize_to(image, size, filter);  // throws
  const double width = image.width, height = image.height, ratio = 1.0 * size.width / size.height;
  const bool is_wider = width / height >= ratio;
  const double part_width = is_wider ? std::min(width, ratio * height) : width;
  const double part_height = is_wider ? height : std::min(height, width / ratio);
  const double left = (width - part_width) / 2, top = (height - part_height) / 2;
  return resize_part(image,
                     {left, top, std::min(width, left + part_width), std::min(height, top + part_height)},
                     size, filter);
}

Resized resize(const Image& image, const ResizeOptions& options) {
  const ImageSize size = resized_size({image.width, image.height}, options);
  Affine2 original_from_resized{{static_cast<double>(image.width) / size.width, 0, 0, 0,
                                 static_cast<double>(image.height) / size.height, 0}};
  return {resize_to(image, size, options.filter), original_from_resized};
}

}  // namespace imatch
