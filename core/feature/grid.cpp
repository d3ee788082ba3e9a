// SPDX-License-Identifier: Apache-2.0
#include "feature/grid.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <numeric>
#include <vector>

#include "base/error.h"

namespace imatch {

Features features_over_image(const at::Tensor& global, const at::Tensor& tokens, const GridOptions& options) {
  const bool grid = tokens.dim() == 3;
  Features features;
  features.rows = options.rows == 0 && grid ? static_cast<int>(tokens.size(0)) : options.rows;
  features.cols = options.cols == 0 && grid ? static_cast<int>(tokens.size(1)) : options.cols;
  const bool fits = grid ? tokens.size(0) == features.rows && tokens.size(1) == features.cols
                         : tokens.dim() == 2 && tokens.size(0) == std::int64_t{features.rows} * features.cols;
  if (!fits)
    throw Error(
        fmt::format("features: tokens of shape [{}] for {} rows and {} cols: expected [rows * cols, D] or "
                    "[rows, cols, D]",
                    fmt::join(tokens.sizes(), ", "), options.rows, options.cols));
  if (global.dim() != 1)
    throw Error(fmt::format("features: a global vector of {} dimensions: expected one", global.dim()));
  if (!global.is_floating_point() || !tokens.is_floating_point())
    throw Error("features: expected vectors of a floating-point dtype");
  features.global = global;
  features.tokens = tokens.reshape({std::int64_t{features.rows} * features.cols, tokens.size(-1)});
  features.image_width = options.image_width > 0 ? options.image_width : features.cols;
  features.image_height = options.image_height > 0 ? options.image_height : features.rows;
  if (features.rows > 0 && features.cols > 0)
    features.original_from_grid.m = {static_cast<double>(features.image_width) / features.cols,  0, 0, 0,
                                     static_cast<double>(features.image_height) / features.rows, 0};
  features.backbone = options.backbone;
  return features;
}

at::Tensor token_points(const Features& features, std::span<const std::int64_t> tokens) {
  const std::int64_t count = std::int64_t{features.rows} * features.cols;
  at::Tensor points = at::empty({static_cast<std::int64_t>(tokens.size()), 2}, at::kDouble);
  auto* out = points.mutable_data_ptr<double>();
  for (const std::int64_t token : tokens) {
    if (token < 0 || token >= count)
      throw Error(fmt::format("points: token {} is not in [0, {}]", token, count - 1));
    const Point2 point = features.point(token);
    *out++ = point.x;
    *out++ = point.y;
  }
  return points;
}

at::Tensor token_points(const Features& features) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(features.rows) *
                                static_cast<std::size_t>(features.cols));
  std::iota(all.begin(), all.end(), 0);
  return token_points(features, all);
}

}  // namespace imatch
