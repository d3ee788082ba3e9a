// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace imatch {

/// The first `layers` layers of a rasterised sample as the network learns them: [7 layers, H, W], layer by
/// layer canonical xyz, posed xyz, occupancy. Throws Failure as read_sample, and bad_format for another size.
at::Tensor point_map_target(const std::string& path, int layers, int resolution);
/// The same of its dense array, H×W×L×7.
at::Tensor point_map_target(at::Tensor dense, int layers);

}  // namespace imatch
