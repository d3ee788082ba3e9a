// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>

#include "gpu/agreement.h"

namespace imatch::testing {

/// Prints what a large matrix product reaches on the device, then a line for each vision transformer at 336
/// and 1,024 px: images a second with images that lie on the device and tokens that stay there, the same with
/// samples of 8 bits from CPU memory and tokens back to it, the share of the matrix product's rate that the
/// multiplications of the first make, and how long one image takes, recorded and not. In bf16, or with
/// `all_types` in each number type. bench/gpu_peers.py reads these lines.
void print_throughput(c10::Device device, Extent extent, bool all_types);

}  // namespace imatch::testing
