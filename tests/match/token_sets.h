// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <random>
#include <vector>

#include "feature/features.h"

namespace imatch::testing {

/// Features over a grid of 16 px cells with the given tokens, row after row.
inline Features features_of(int rows, int cols, const std::vector<float>& values, std::string key = "") {
  Features f;
  const std::int64_t n = std::int64_t{rows} * cols;
  const std::int64_t dim = n == 0 ? 4 : static_cast<std::int64_t>(values.size()) / n;
  f.tokens = at::empty({n, dim}, at::kFloat);
  std::copy(values.begin(), values.end(), f.tokens.mutable_data_ptr<float>());
  f.rows = rows;
  f.cols = cols;
  f.original_from_grid = {{16, 0, 0, 0, 16, 0}};
  f.image_width = cols * 16;
  f.image_height = rows * 16;
  f.backbone = "test";
  f.key = std::move(key);
  return f;
}

/// Normally distributed tokens whose lengths differ, from a fixed seed.
inline Features random_features(int rows, int cols, int dim, unsigned seed, std::string key = "") {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::uniform_real_distribution<float> length(0.1f, 4.0f);
  std::vector<float> values;
  for (int token = 0; token < rows * cols; ++token) {
    const float scale = length(random);
    for (int d = 0; d < dim; ++d) values.push_back(scale * normal(random));
  }
  return features_of(rows, cols, values, std::move(key));
}

}  // namespace imatch::testing
