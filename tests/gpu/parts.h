// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>

#include "gpu/agreement.h"

namespace imatch::testing {

/// Prints, for each vision transformer of the table of throughput, how long its parts take in bf16 at the
/// table's batch: the four products of a block, attention and what stands between, each alone, in
/// milliseconds of a whole pass, with the TFLOP/s of products and the GB/s of the rest.
void print_parts(c10::Device device, Extent extent);

}  // namespace imatch::testing
