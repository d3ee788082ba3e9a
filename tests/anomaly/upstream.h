// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>

#include <numeric>
#include <string>

#include "catch.h"
#include "io/npz.h"

namespace imatch::testing {

/// An array of data/upstream.npz: what anomalib and patchcore-inspection compute for the made-up maps below.
inline at::Tensor upstream(const std::string& name) {
  const StateDict arrays = read_npz(std::string(IMATCH_TEST_FOLDER) + "/anomaly/data/upstream.npz");
  const at::Tensor* found = arrays.find(name);
  REQUIRE(found != nullptr);
  return *found;
}

/// height * sin(step * i + phase) for i = 1, 2, ... in row-major order.
inline at::Tensor wave(at::IntArrayRef shape, double step, double phase = 0, double height = 1) {
  const std::int64_t count =
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  return at::arange(1, count + 1, at::kDouble)
      .mul(step)
      .add(phase)
      .sin()
      .mul(height)
      .to(at::kFloat)
      .view(shape);
}

inline std::vector<at::Tensor> made_up_layers() {
  return {wave({2, 4, 6, 6}, 0.23), wave({2, 8, 3, 3}, 0.31, 0.5)};
}
inline at::Tensor made_up_bank() {
  return wave({20, 12}, 0.53, 0.2, 0.8);
}

/// Largest difference relative to the largest expected value.
inline double relative_error(const at::Tensor& got, const at::Tensor& expected) {
  REQUIRE(got.sizes() == expected.sizes());
  const at::Tensor difference = got.to(at::kDouble).sub(expected.to(at::kDouble)).abs().max();
  return difference.item<double>() / expected.to(at::kDouble).abs().max().item<double>();
}

}  // namespace imatch::testing
