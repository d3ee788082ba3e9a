// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>

#include "gpu/agreement.h"

namespace imatch::testing {

/// Prints what a large matrix product reaches on the device in each number type, then, for vision
/// transformers at 336 and 1,024 px, images a second (batches from CPU memory and their tokens back) and the
/// share of that rate which their multiplications make.
void print_throughput(c10::Device device, Extent extent);

}  // namespace imatch::testing
