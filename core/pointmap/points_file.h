// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "pointmap/points.h"

namespace imatch {

/// The points of a file, with normals:
///   an .npz of rasterised points (see SampleFile). Layout "layers", where the shortest axis comes first, has
///     canonical points and their normals alone;
///   an .npz of what a network said: arrays prediction [C, H, W] and mask [H, W];
///   PREFIX_rec.ply and PREFIX_canon.ply, by either name: confidence, layer and normals where they have them.
/// `options` says which points of a prediction, and of clouds with a confidence, are taken. Throws Failure as
/// the readers; bad_format for arrays that are none of these and clouds of different sizes.
PointMapPoints read_points(const std::string& path, const PointMapPointOptions& options);

}  // namespace imatch
