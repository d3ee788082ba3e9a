// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/ScalarType.h>

#include "cuda/kernels.h"

namespace imatch::testing {

/// The kernels for GPUs (core/nn/kernels), compiled for the CPU from the same text: each thread of a block is
/// a fiber, which waits where the threads of its warp exchange values. A warp of which some threads never
/// come to the exchange is an Error, as it is undefined on a GPU. For one thread.
const cuda::Kernels* host_kernels(c10::ScalarType type);

/// While it lives, operators on the CPU take those kernels.
class KernelsOnCpu {
 public:
  KernelsOnCpu() { cuda::set_kernels_of_cpu(host_kernels); }
  ~KernelsOnCpu() { cuda::set_kernels_of_cpu(nullptr); }
  KernelsOnCpu(const KernelsOnCpu&) = delete;
  KernelsOnCpu& operator=(const KernelsOnCpu&) = delete;
};

/// How many kernels have been run since the process began.
long long host_launches();

}  // namespace imatch::testing
