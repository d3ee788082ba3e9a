// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>

namespace imatch {

/// Takes down a network operation by operation, for another program to run. Values are maps [N, C, H, W].
class GraphWriter {
 public:
  using Value = std::size_t;

  struct Conv {
    at::Tensor weight;  ///< [O, I / groups, k, k].
    at::Tensor bias;    ///< [O].
    int stride = 1;
    int groups = 1;
    bool same = false;  ///< TensorFlow's SAME padding; else k / 2 zeros on every side.
  };

  virtual ~GraphWriter() = default;
  virtual Value conv(Value input, const Conv& conv) = 0;
  virtual Value add(Value a, Value b) = 0;
  /// max(x, 0), and no more than `limit` when that is above 0.
  virtual Value relu(Value input, double limit = 0) = 0;
  /// 3 x 3 with stride 2 and one pixel of padding.
  virtual Value max_pool(Value input) = 0;
};

}  // namespace imatch
