// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>

#include "gpu/agreement.h"

namespace imatch::testing {

/// What stands between matrix products (nn/fused.h) in each number type: the kernels and LibTorch's operators
/// against float64 on the CPU, with shapes that are whole packs and that are not; with `full` their times as
/// well. Prints a line each; returns how many failed.
int check_fused_kernels(c10::Device device, Extent extent);

/// Attention in each number type against float64, and which of LibTorch's kernels it takes.
int check_attention(c10::Device device, Extent extent);

/// Forward passes that are recorded and replayed (CUDA graphs) against those that are not, and whether they
/// were.
int check_recording(c10::Device device, Extent extent);

/// Samples of 8 bits through page-locked memory and normalised on the device, against the CPU.
int check_samples(c10::Device device, Extent extent);

/// Picks of a coreset, where equal distances are unlikely.
int check_coreset(c10::Device device, Extent extent);

}  // namespace imatch::testing
