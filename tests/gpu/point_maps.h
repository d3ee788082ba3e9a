// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>

#include "gpu/agreement.h"

namespace imatch::testing {

/// Losses, gradients and the weights after an update of a dual point map network, and the surfaces that
/// LibTorch's rasteriser finds, against the CPU. Prints a line each; returns how many failed.
int check_point_maps(c10::Device device, Extent extent);

/// Prints steps a second of training: `full`, the published network, 12 pictures of 160 px, in fp32 (with and
/// without TensorFloat-32) and bf16.
void print_training_throughput(c10::Device device, Extent extent);

}  // namespace imatch::testing
