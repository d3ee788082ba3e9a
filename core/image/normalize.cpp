// SPDX-License-Identifier: Apache-2.0
#include "image/normalize.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace imatch {
namespace {

/// A channel's value for each of the 256 samples: one look-up instead of three operations, and the same
/// rounding as doing them in float32.
using Table = std::array<float, 256>;

Table table_of(float mean, float std) {
  Table table;
  for (int i = 0; i < 256; ++i)
    table[static_cast<std::size_t>(i)] = (static_cast<float>(i) / 255.0f - mean) / std;
  return table;
}

}  // namespace

const Normalization& normalization(std::string_view name) {
  static constexpr Normalization kKnown[] = {{{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}},
                                             {{0.430f, 0.411f, 0.296f}, {0.213f, 0.156f, 0.143f}},
                                             {{0.5f, 0.5f, 0.5f}, {0.5f, 0.5f, 0.5f}},
                                             {}};
  static_assert(std::size(kKnown) == std::size(kNormalizations));
  const auto found = std::ranges::find(kNormalizations, name);
  if (found == std::end(kNormalizations))
    throw Error(fmt::format("normalization: '{}' is not allowed; expected '{}'", name,
                            fmt::join(kNormalizations, "', '")));
  return kKnown[found - std::begin(kNormalizations)];
}

at::Tensor normalize(std::span<const Image* const> images, const Normalization& by) {
  if (images.empty() || images.front()->empty()) throw Error("normalize: no picture, or one without pixels");
  const int width = images.front()->width, height = images.front()->height;
  for (const Image* image : images)
    if (image->width != width || image->height != height)
      throw Error(fmt::format("normalize: pictures of {} x {} and {} x {} px do not go into one tensor",
                              width, height, image->width, image->height));
  const Table tables[] = {table_of(by.mean[0], by.std[0]), table_of(by.mean[1], by.std[1]),
                          table_of(by.mean[2], by.std[2])};
  const auto count = static_cast<std::int64_t>(images.size());
  at::Tensor result = at::empty({count, 3, height, width}, at::kFloat);
  float* const out = result.data_ptr<float>();
  const std::size_t plane = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  at::parallel_for(0, count * height, 32, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const auto n = static_cast<std::size_t>(row / height);
      const auto y = static_cast<int>(row % height);
      const std::uint8_t* in = images[n]->pixel(0, y);
      float* red = out + 3 * plane * n + static_cast<std::size_t>(y) * static_cast<std::size_t>(width);
      float* green = red + plane;
      float* blue = green + plane;
      for (int x = 0; x < width; ++x, in += 3) {
        red[x] = tables[0][in[0]];
        green[x] = tables[1][in[1]];
        blue[x] = tables[2][in[2]];
      }
    }
  });
  return result;
}

at::Tensor normalize(const Image& image, const Normalization& by) {
  const Image* const one[] = {&image};
  return normalize(one, by);
}

Image denormalize(const at::Tensor& tensor, const Normalization& by, std::int64_t index) {
  const std::int64_t dims = tensor.dim();
  if ((dims != 3 && dims != 4) || tensor.size(dims - 3) != 3 || !tensor.is_floating_point())
    throw Error("denormalize: expected a floating-point tensor of shape [N, 3, H, W] or [3, H, W]");
  const std::int64_t count = dims == 4 ? tensor.size(0) : 1;
  if (index < 0 || index >= count)
    throw Error(
        fmt::format("denormalize: index {} is not allowed; expected one in [0, {}]", index, count - 1));
  const at::Tensor planes =
      (dims == 4 ? tensor.select(0, index) : tensor).detach().to(at::kCPU, at::kFloat).contiguous();
  Image image(static_cast<int>(planes.size(2)), static_cast<int>(planes.size(1)));
  const float* in = planes.data_ptr<float>();
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t i = c; i < image.rgb.size(); i += 3) {
      const float sample = std::round((*in++ * by.std[c] + by.mean[c]) * 255.0f);
      image.rgb[i] =
          static_cast<std::uint8_t>(sample > 0 ? std::min(sample, 255.0f) : 0.0f);  // NaN becomes 0
    }
  return image;
}

}  // namespace imatch
