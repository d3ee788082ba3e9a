// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace imatch {

/// The first `layers` layers of a rasterised sample as the network learns them: [7 layers, H, W], layer by
/// layer canonical xyz, posed xyz, occupancy. Throws Failure as read_sample, and bad_format for another size.
at::Tensor point_map_target(const std::string& path, int layers, int resolution);

}  // namespace imatch
