// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace imatch {

/// Takes down a network operation by operation, for another program to run. Values are maps [N, C, H, W] or
/// tokens [N, T, D].
class GraphWriter {
 public:
  using Value = std::size_t;

  enum class Padding {
    kHalf,  ///< k / 2 zeros on every side.
    kSame,  ///< TensorFlow's SAME.
    kNone,
  };
  struct Conv {
    at::Tensor weight;  ///< [O, I / groups, k, k].
    at::Tensor bias;    ///< [O].
    int stride = 1;
    int groups = 1;
    Padding padding = Padding::kHalf;
  };

  virtual ~GraphWriter() = default;

  virtual Value conv(Value map, const Conv& conv) = 0;
  /// max(x, 0), and no more than `limit` when that is above 0.
  virtual Value relu(Value input, double limit = 0) = 0;
  /// 3 x 3 with stride 2 and one pixel of padding.
  virtual Value max_pool(Value map) = 0;

  /// Shapes are broadcast as everywhere.
  virtual Value add(Value a, Value b) = 0;
  virtual Value multiply(Value a, Value b) = 0;
  virtual Value constant(const at::Tensor& values) = 0;
  virtual Value concat(const std::vector<Value>& parts, int axis) = 0;
  /// Elements `begin` to `end` of an axis.
  virtual Value slice(Value input, int axis, std::int64_t begin, std::int64_t end) = 0;

  /// Over the last axis; `bias` may be undefined.
  virtual Value linear(Value tokens, const at::Tensor& weight, const at::Tensor& bias) = 0;
  virtual Value layer_norm(Value tokens, const at::Tensor& weight, const at::Tensor& bias, double eps) = 0;
  /// The exact one.
  virtual Value gelu(Value input) = 0;
  virtual Value silu(Value input) = 0;
  /// [N, T, heads * D] -> [N, heads, T, D].
  virtual Value split_heads(Value tokens, int heads) = 0;
  /// softmax(query key^T / sqrt(D)) value of heads [N, heads, T, D] -> [N, T, heads * D].
  virtual Value attention(Value query, Value key, Value value) = 0;

  /// Rows and columns of a map. Throws Error where they are left open.
  virtual std::array<std::int64_t, 2> grid(Value map) = 0;
  /// [N, D, rows, cols] -> [N, rows * cols, D].
  virtual Value tokens_of_map(Value map) = 0;
  /// Back; also from [N, rows, cols, D].
  virtual Value map_of_tokens(Value tokens, std::array<std::int64_t, 2> grid) = 0;
};

}  // namespace imatch
