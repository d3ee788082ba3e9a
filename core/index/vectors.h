// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

#include "index/metric.h"

namespace imatch {

/// [n, D] or [D] of any floating dtype -> [n, D] float32, contiguous, on its own device. Throws Error, which
/// begins with `what`, for another shape or dtype, and naming the first row that has a value that is not
/// finite, or that is all zeros where the metric is the inner product.
at::Tensor check_vectors(const at::Tensor& vectors, Metric metric, std::string_view what);

/// Each row scaled to length one. Throws Error as check_vectors does.
at::Tensor unit_rows(const at::Tensor& vectors, std::string_view what);

/// [n] int64, contiguous, on the CPU. Throws Error for another shape or dtype, a negative id, one that is
/// given twice (named), and unless there are `expected` of them.
at::Tensor check_ids(const at::Tensor& ids, std::int64_t expected, std::string_view what);

}  // namespace imatch
