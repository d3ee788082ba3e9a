// SPDX-License-Identifier: Apache-2.0
#include "image/resize_float.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "image/resample_weights.h"

namespace imatch {
namespace {

using FloatWeights = WeightTable<float>;

/// Rows that go through the horizontal pass together, so that its inner loop runs over neighbouring samples.
constexpr int kFloatRows = 8;
constexpr int kFloatBlock = 3 * kFloatRows;

/// [rows][width][3] bytes -> [width][3][kFloatRows] floats; rows that are missing at the lower end stay.
void interleave_as_float(const Image& image, int y, int rows, float* out) {
  const std::size_t row_bytes = 3 * static_cast<std::size_t>(image.width);
  for (int r = 0; r < rows; ++r) {
    const std::uint8_t* row = image.pixel(0, y + r);
    for (std::size_t i = 0; i < row_bytes; ++i) out[i * kFloatRows + static_cast<std::size_t>(r)] = row[i];
  }
}

/// `out`: for each of the rows three planes of weights.out samples, one row after another.
void filter_rows(const FloatWeights& weights, const float* block, int rows, float* out) {
  const auto width = static_cast<std::size_t>(weights.out);
  for (std::size_t x = 0; x < width; ++x) {
    const float* weight = weights.weight.data() + x * static_cast<std::size_t>(weights.stride);
    const float* in = block + static_cast<std::size_t>(weights.first[x]) * kFloatBlock;
    float sum[kFloatBlock] = {};
    for (int k = 0; k < weights.count[x]; ++k, in += kFloatBlock) {
      const float w = weight[k];
      for (int j = 0; j < kFloatBlock; ++j) sum[j] += w * in[j];
    }
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r)
        out[(3 * r + c) * width + x] = sum[c * kFloatRows + r];
  }
}

/// [image.height][3][weights.out], samples of 0..255.
std::vector<float> filter_width(const Image& image, const FloatWeights& weights) {
  const std::size_t row_size = 3 * static_cast<std::size_t>(weights.out);
  std::vector<float> result(row_size * static_cast<std::size_t>(image.height));
  const int blocks = (image.height + kFloatRows - 1) / kFloatRows;
  at::parallel_for(0, blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> block(static_cast<std::size_t>(image.width) * kFloatBlock);
    for (auto b = static_cast<int>(begin); b < end; ++b) {
      const int y = b * kFloatRows;
      const int rows = std::min(kFloatRows, image.height - y);
      interleave_as_float(image, y, rows, block.data());
      filter_rows(weights, block.data(), rows, result.data() + row_size * static_cast<std::size_t>(y));
    }
  });
  return result;
}

}  // namespace

at::Tensor resize_to_float(const Image& image, ImageSize size, std::string_view filter) {
  if (image.empty()) throw Error("resize: the picture has no pixels");
  if (size.width < 1 || size.height < 1)
    throw Error(
        fmt::format("resize: {} x {} px is not allowed; expected sides >= 1", size.width, size.height));
  const FloatWeights down = weight_table<float>(image.height, size.height, filter);
  const std::vector<float> rows = filter_width(image, weight_table<float>(image.width, size.width, filter));
  at::Tensor result = at::empty({3, size.height, size.width}, at::kFloat);
  float* const out = result.data_ptr<float>();
  const auto width = static_cast<std::size_t>(size.width), height = static_cast<std::size_t>(size.height);
  at::parallel_for(0, size.height, 8, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> sum(3 * width);
    for (auto y = static_cast<std::size_t>(begin); y < static_cast<std::size_t>(end); ++y) {
      std::ranges::fill(sum, 0.0F);
      const float* weight = down.weight.data() + y * static_cast<std::size_t>(down.stride);
      const float* in = rows.data() + 3 * width * static_cast<std::size_t>(down.first[y]);
      for (int k = 0; k < down.count[y]; ++k, in += 3 * width)
        for (std::size_t i = 0; i < 3 * width; ++i) sum[i] += weight[k] * in[i];
      for (std::size_t c = 0; c < 3; ++c)
        for (std::size_t x = 0; x < width; ++x)
          out[(c * height + y) * width + x] = sum[c * width + x] / 255.0F;
    }
  });
  return result;
}

}  // namespace imatch
