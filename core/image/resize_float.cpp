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
#include "image/with_avx2.h"

namespace imatch {
namespace {

using FloatWeights = WeightTable<float>;

/// Rows that go through the horizontal pass together, so that its inner loop runs over neighbouring samples.
constexpr std::size_t kFloatRows = 8;
constexpr std::size_t kFloatBlock = 3 * kFloatRows;

/// One row of the result from `count` rows of the input, to every kFloatRows-th place of `out`.
IMATCH_WITH_AVX2 void combine_rows_as_float(const std::uint8_t* in, std::size_t row_size, const float* weight,
                                            int count, float* out) {
  constexpr std::size_t kChunk = 512;  // the sums stay in the first-level cache
  for (std::size_t begin = 0; begin < row_size; begin += kChunk) {
    const std::size_t size = std::min(kChunk, row_size - begin);
    float sum[kChunk] = {};
    for (int k = 0; k < count; ++k) {
      const float w = weight[k];
      const std::uint8_t* row = in + static_cast<std::size_t>(k) * row_size + begin;
      for (std::size_t j = 0; j < size; ++j) sum[j] += w * static_cast<float>(row[j]);
    }
    for (std::size_t j = 0; j < size; ++j) out[(begin + j) * kFloatRows] = sum[j];
  }
}

/// `block`: [width][3][kFloatRows]. Writes the first `rows` rows of three planes, each `plane` samples long.
IMATCH_WITH_AVX2 void filter_width(const FloatWeights& weights, const float* block, std::size_t rows,
                                   float* out, std::size_t plane) {
  const auto width = static_cast<std::size_t>(weights.out);
  for (std::size_t x = 0; x < width; ++x) {
    const float* weight = weights.weight.data() + x * static_cast<std::size_t>(weights.stride);
    const float* in = block + static_cast<std::size_t>(weights.first[x]) * kFloatBlock;
    float sum[kFloatBlock] = {};
    for (int k = 0; k < weights.count[x]; ++k, in += kFloatBlock) {
      const float w = weight[k];
      for (std::size_t j = 0; j < kFloatBlock; ++j) sum[j] += w * in[j];
    }
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t r = 0; r < rows; ++r)
        out[c * plane + r * width + x] = sum[c * kFloatRows + r] / 255.0F;
  }
}

}  // namespace

at::Tensor resize_to_float(const Image& image, ImageSize size, std::string_view filter) {
  if (image.empty()) throw Error("resize: the picture has no pixels");
  if (size.width < 1 || size.height < 1)
    throw Error(
        fmt::format("resize: {} x {} px is not allowed; expected sides >= 1", size.width, size.height));
  const FloatWeights down = weight_table<float>(image.height, size.height, filter);
  const FloatWeights across = weight_table<float>(image.width, size.width, filter);
  at::Tensor result = at::empty({3, size.height, size.width}, at::kFloat);
  float* const out = result.data_ptr<float>();
  const std::size_t row_size = 3 * static_cast<std::size_t>(image.width);
  const auto width = static_cast<std::size_t>(size.width), height = static_cast<std::size_t>(size.height);
  // The height first: its loops run along whole rows of bytes, of which few are left then.
  const auto blocks = static_cast<std::int64_t>((height + kFloatRows - 1) / kFloatRows);
  at::parallel_for(0, blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> block(row_size * kFloatRows);
    for (std::int64_t b = begin; b < end; ++b) {
      const std::size_t first = static_cast<std::size_t>(b) * kFloatRows;
      const std::size_t rows = std::min(kFloatRows, height - first);
      for (std::size_t r = 0; r < rows; ++r) {
        const std::size_t y = first + r;
        combine_rows_as_float(image.pixel(0, down.first[y]), row_size,
                              down.weight.data() + y * static_cast<std::size_t>(down.stride), down.count[y],
                              block.data() + r);
      }
      filter_width(across, block.data(), rows, out + first * width, height * width);
    }
  });
  return result;
}

}  // namespace imatch
