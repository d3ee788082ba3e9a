// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/options.h"
#include "feature/features.h"

namespace imatch {

/// How tokens lie over an image.
struct GridOptions {
  int rows = 0;
  int cols = 0;
  int image_width = 0;
  int image_height = 0;
  std::string backbone = "unknown";
  static constexpr auto fields =
      std::tuple{field("rows", &GridOptions::rows, at_least(0),
                       "Rows of the grid; 0: from tokens of shape [rows, cols, D]."),
                 field("cols", &GridOptions::cols, at_least(0), "Columns of the grid; 0 likewise."),
                 field("image_width", &GridOptions::image_width, at_least(0),
                       "Of the image that the grid covers, px; 0: one px a column."),
                 field("image_height", &GridOptions::image_height, at_least(0), "Likewise; 0: one px a row."),
                 field("backbone", &GridOptions::backbone, anything(), "What made them, for reports.")};
};

/// Features from vectors that were made elsewhere: `global` [D_global], `tokens` [rows * cols, D] or [rows,
/// cols, D], row-major, on a grid that covers the whole image. Without a key: they are never cached. Throws
/// Error when the shapes do not go together, or a dtype is not floating point.
Features features_over_image(const at::Tensor& global, const at::Tensor& tokens, const GridOptions& options);

/// Centres of tokens in the original image: [n, 2] float64, x then y, px. Throws Error for an index outside
/// of the grid.
at::Tensor token_points(const Features& features, std::span<const std::int64_t> tokens);
/// Of all tokens.
at::Tensor token_points(const Features& features);

}  // namespace imatch
