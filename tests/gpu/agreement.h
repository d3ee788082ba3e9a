// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>

namespace imatch::testing {

/// Sizes of what is compared: `full` for a GPU, else what two CPU cores do in seconds.
enum class Extent { kQuick, kFull };

/// Each compares the device with the CPU in float32, prints a line a case, and returns how many failed.
int check_networks(c10::Device device, Extent extent);  ///< Also the drift of bf16 and fp16.
int check_matching(c10::Device device, Extent extent);
int check_exact_index(c10::Device device, Extent extent);

}  // namespace imatch::testing
