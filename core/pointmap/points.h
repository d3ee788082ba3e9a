// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>
#include <tuple>

#include "base/field.h"

namespace imatch {

struct PointMapPointOptions {
  double occupancy = 0.5;
  double confidence = 2;

  using Self = PointMapPointOptions;
  static constexpr auto fields = std::tuple{
      field("occupancy", &Self::occupancy, in_range(0, 1),
            "A layer is there where its occupancy exceeds this."),
      field("confidence", &Self::confidence, at_least(0),
            "Points below it are dropped. It is always above 1, so that a limit below 1 drops none.")};
};

/// Points in space, layer by layer, each in row-major order. What a file does not tell is undefined.
struct PointMapPoints {
  at::Tensor canonical, posed;                          ///< [N, 3] float32.
  at::Tensor confidence;                                ///< [N] float32.
  at::Tensor layer;                                     ///< [N] int64, from 0.
  at::Tensor pixel;                                     ///< [N, 2] int64: row, column.
  at::Tensor canonical_normal = {}, posed_normal = {};  ///< [N, 3] float32, of length 1, or 0 where unknown.
};

/// canonical, posed, confidence, layer, pixel, canonical_normal or posed_normal. Throws Error for another
/// name and for what is undefined.
at::Tensor tensor_named(const PointMapPoints& points, std::string_view name);

/// Of a prediction [C, H, W] of so many layers with 8 channels each; one layer alone has canonical and posed
/// points and perhaps a confidence, 6 or 7 channels, and is there where the mask [H, W] is.
PointMapPoints points_of_prediction(const at::Tensor& prediction, const at::Tensor& mask, int layers,
                                    const PointMapPointOptions& options);

/// What a target [7 layers, H, W] says of these: its occupied pixels in the same order; confidence is 1.
PointMapPoints points_of_target(const at::Tensor& target);

/// Adds normals, from differences to the nearest neighbours along row and column in the same layer: outwards
/// for a closed surface, which is towards the camera in the first layer, away from it in the second, and so
/// on. 0 where there is no neighbour in one of the directions. Needs canonical, posed, layer and pixel.
void add_normals(PointMapPoints& points);

}  // namespace imatch
