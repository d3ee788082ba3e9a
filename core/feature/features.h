// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "geometry/planar.h"

namespace imatch {

/// What a backbone says about one image.
struct Features {
  at::Tensor global;  ///< [D_global]: one vector for the whole image.
  at::Tensor tokens;  ///< [rows * cols, D], row-major over the grid.
  int rows = 0;
  int cols = 0;
  /// From the grid frame (token (row r, col c) has its centre at x = c + 0.5, y = r + 0.5) to pixels of the
  /// image as it was given, before any resizing.
  Affine2 original_from_grid;
  int image_width = 0;  ///< Of the image as it was given.
  int image_height = 0;
  std::string backbone;  ///< Printable specification, "efficientnet_lite0 stage=16 image_size=336".
  /// By how much the image was rotated clockwise before the network saw it; original_from_grid leads back.
  double rotation_deg = 0;
  /// [rows * cols] bool on the CPU: which tokens may be matched; undefined: all. False where a rotated image
  /// leaves the cell of a token partly empty.
  at::Tensor selectable;
  std::string key;  ///< Content key (SHA-256) of everything the features depend on; "" when unknown.

  Point2 point(std::int64_t token) const {
    return original_from_grid(
        {static_cast<double>(token % cols) + 0.5, static_cast<double>(token / cols) + 0.5});
  }
  std::size_t bytes() const { return global.defined() ? global.nbytes() + tokens.nbytes() : 0; }
};

}  // namespace imatch
