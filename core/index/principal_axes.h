// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace imatch {

/// The `count` strongest principal axes of the rows, each divided by the deviation along it (but for a factor
/// that all have in common), as columns: [D, count], by FAISS. rows: [N, D] float32 on the CPU; count <= D
/// and < N. Deviations below `least_deviation` count as that.
at::Tensor whitening_axes(const at::Tensor& rows, int count, double least_deviation);

}  // namespace imatch
