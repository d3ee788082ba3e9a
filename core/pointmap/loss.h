// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include "nn/dual_point_map.h"

namespace imatch {

/// What point maps are trained on. Targets are [N, 7 L, H, W]: of each layer canonical xyz, posed xyz and
/// occupancy; outputs are DualPointMap's.
struct PointMapLosses {
  at::Tensor points, occupancy;  ///< Scalars; the second is undefined for one layer.
};

/// What the losses are divided by, two numbers: occupied pixels of all layers, and pixels where occupancy is
/// learned: those of the first layer, or with `whole_picture` all.
at::Tensor point_map_amounts(const at::Tensor& target, bool whole_picture);

/// Points: the mean over occupied pixels of half of L_canonical + L_posed, where L = c |error|^2 - alpha log
/// c and c = 1 + exp(raw) is the confidence that both share (1 where the network has none). Occupancy: the
/// mean binary cross-entropy with targets clamped to [0.01, 0.99]. `amounts`: of this batch, or of all parts
/// of a step.
PointMapLosses point_map_losses(const at::Tensor& output, const at::Tensor& target, const at::Tensor& amounts,
                                const DualPointMapShape& shape, double alpha, bool whole_picture);

}  // namespace imatch
