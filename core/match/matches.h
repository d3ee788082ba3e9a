// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "geometry/planar.h"

namespace imatch {

/// Correspondences between the token grids of image a and image b, in falling similarity (ties by token
/// index).
struct Matches {
  std::vector<std::int32_t> idx_a;  ///< Index into the full token grid of a, row-major, 0-based.
  std::vector<std::int32_t> idx_b;
  std::vector<float> similarity;  ///< Cosine.
  std::vector<Point2> points_a;   ///< In original pixels of a.
  std::vector<Point2> points_b;
  std::int64_t n_a = 0;  ///< Tokens of a.
  std::int64_t n_b = 0;
  std::int64_t n_selected_a = 0;  ///< Tokens left by keypoint_th and max_features.
  std::int64_t n_selected_b = 0;
  double cell_a_px = 0;  ///< Side of a grid cell of a in original pixels (mean of both axes).
  double cell_b_px = 0;
  int width_a = 0, height_a = 0, width_b = 0, height_b = 0;  ///< Original image sizes.
  int rows_a = 0, cols_a = 0, rows_b = 0, cols_b = 0;        ///< Token grids.
  Affine2 original_from_grid_a;  ///< As in Features: token centres to original pixels.

  std::size_t size() const { return similarity.size(); }
};

}  // namespace imatch
