// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty_like.h>

#include <cmath>

#include "nn/dual_point_map.h"

namespace imatch::testing {

/// The network of dualpm_small.npz.
inline DualPointMapShape small_dual_point_map() {
  return {.in_channels = 8, .resolution = 32, .model_channels = 16, .blocks = 1};
}

/// Its weights: element i = 1... of tensor j = 1... is 0.05 sin(0.7 i + 1.3 j), of norms 1 more.
inline StateDict formula_weights(const DualPointMapShape& shape) {
  StateDict weights;
  int j = 0;
  for (const auto& [name, tensor] :
       DualPointMap::initial_weights(shape, at::make_generator<at::CPUGeneratorImpl>(1))) {
    at::Tensor filled = tensor;
    if (!name.ends_with("resample_filter")) {
      filled = at::empty_like(tensor);
      ++j;
      const bool scales = name.ends_with(".weight") && name.find("norm") != std::string::npos;
      const double base = scales ? 1 : 0;
      float* const values = filled.mutable_data_ptr<float>();
      for (std::int64_t i = 0; i < filled.numel(); ++i)
        values[i] = static_cast<float>(base + 0.05 * std::sin(0.7 * static_cast<double>(i + 1) + 1.3 * j));
    }
    weights.add(name, filled);
  }
  return weights;
}

}  // namespace imatch::testing
