// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>

namespace imatch::testing {

/// Whether NCCL takes the device into a group of one, and gives back what it is given. Returns how many
/// checks failed.
int check_all_reduce(c10::Device device);

}  // namespace imatch::testing
