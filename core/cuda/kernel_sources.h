// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace imatch::cuda {

/// The text of all kernels (nn/kernels/*), which the build puts into the program (cmake/ImatchKernels.cmake).
const std::string& kernel_source();

/// What tells the source the number type: 0 float, 1 bfloat16, 2 float16.
std::string number_option(int number);

}  // namespace imatch::cuda
