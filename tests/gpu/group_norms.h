// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>

#include "gpu/agreement.h"

namespace imatch::testing {

/// Group normalisation with SiLU and the scaled sum (nn/group_norm.h), and their gradients, against float64
/// on the CPU in each number type; with `full` how long they take beside LibTorch's operators. Prints a line
/// each; returns how many failed.
int check_group_norms(c10::Device device, Extent extent);

}  // namespace imatch::testing
