// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace imatch {

/// The greatest value of each row and of each column of a matrix, and where it stands; of equal ones the
/// first.
struct Maxima {
  std::vector<float> row_value;
  std::vector<std::int64_t> row_index;
  std::vector<float> col_value;
  std::vector<std::int64_t> col_index;
};

/// Maxima of the product of `a` [n, D] and the transpose of `b` [m, D], both float32 on one device, finite, D
/// >= 1. The product is formed in blocks of rows, at most `block_values` values at a time (but at least one
/// row), so that memory stays bounded. Polls the stop request once a block. n and m >= 1.
Maxima product_maxima(const at::Tensor& a, const at::Tensor& b,
                      std::int64_t block_values = std::int64_t{1} << 22);

}  // namespace imatch
