// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace imatch {

/// Cosine of the angle between two tensors read as vectors, computed in float64, in [-1, 1]; 0 when one of
/// them is zero. Throws Error unless they have equally many numbers.
double cosine(const at::Tensor& a, const at::Tensor& b);

}  // namespace imatch
