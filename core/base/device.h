// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>

#include <string>

namespace imatch {

/// Takes in LibTorch's kernels for CUDA where the wheel beside the program has them and the program was
/// linked without: so one program serves CPU and CUDA wheels. To be called before LibTorch is asked for a
/// GPU.
void load_cuda_kernels();

/// What "auto" means in this process: "cpu", "cuda" (a GPU: the first one, or where several processes were
/// started together on this machine, each its own, in turn: base/job.h), "cuda:N", or "auto" itself (as
/// "cuda" where LibTorch sees a GPU, else the CPU). Throws Error for another name, Failure (not_found) for a
/// GPU that is not there.
void set_default_device(const std::string& name);

/// The device of a name; see set_default_device for the names and errors.
c10::Device resolve_device(const std::string& name);

}  // namespace imatch
