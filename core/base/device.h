// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>

#include <string>

namespace imatch {

/// What "auto" means in this process: "cpu", "cuda", "cuda:N", or "auto" itself (the first GPU LibTorch sees,
/// else the CPU). Throws Error for another name, Failure (not_found) for a GPU that is not there.
void set_default_device(const std::string& name);

/// The device of a name; see set_default_device for the names and errors.
c10::Device resolve_device(const std::string& name);

}  // namespace imatch
