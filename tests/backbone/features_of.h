// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include "backbone/backbone.h"

namespace imatch::testing {

inline Features features_of(const Backbone& backbone, const Image& image) {
  const Image* one[] = {&image};
  return backbone.extract(one).at(0);
}

/// Largest absolute difference.
inline double difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

}  // namespace imatch::testing
