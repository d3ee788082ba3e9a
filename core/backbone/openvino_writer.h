// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <openvino/core/node.hpp>
#include <vector>

#include "nn/graph_writer.h"

namespace imatch {

using GraphNode = ov::Output<ov::Node>;

/// A float32 constant; `half`: stored as float16 and converted.
GraphNode graph_constant(const at::Tensor& values, bool half = false);
GraphNode graph_constant(float value);
GraphNode graph_integers(const std::vector<std::int64_t>& values);
GraphNode graph_integer(std::int64_t value);

/// Elements `begin` to `end` of the shape of a node, as a list of integers.
GraphNode graph_sizes(const GraphNode& node, std::int64_t begin, std::int64_t end);

/// The k smallest (or largest) along an axis, sorted: values and their positions.
struct GraphBest {
  GraphNode values, positions;
};
GraphBest graph_best(const GraphNode& scores, std::int64_t k, std::int64_t axis, bool largest = false);

/// Builds a network out of OpenVINO's operations, with weights stored as float16. Constants that are not
/// weights stay float32.
class OpenVinoWriter final : public GraphWriter {
 public:
  Value input(GraphNode node);
  const GraphNode& node(Value value) const { return nodes_.at(value); }

  Value conv(Value map, const Conv& conv) override;
  Value relu(Value input, double limit) override;
  Value max_pool(Value map) override;
  Value add(Value a, Value b) override;
  Value multiply(Value a, Value b) override;
  Value constant(const at::Tensor& values) override;
  Value concat(const std::vector<Value>& parts, int axis) override;
  Value slice(Value input, int axis, std::int64_t begin, std::int64_t end) override;
  Value linear(Value tokens, const at::Tensor& weight, const at::Tensor& bias) override;
  Value layer_norm(Value tokens, const at::Tensor& weight, const at::Tensor& bias, double eps) override;
  Value gelu(Value input) override;
  Value silu(Value input) override;
  Value split_heads(Value tokens, int heads) override;
  Value attention(Value query, Value key, Value value) override;
  std::array<std::int64_t, 2> grid(Value map) override;
  Value tokens_of_map(Value map) override;
  Value map_of_tokens(Value tokens, std::array<std::int64_t, 2> grid) override;

 private:
  /// Adds an operation with one output.
  template <class Node, class... Arguments>
  Value keep(Arguments&&... arguments) {
    return input(std::make_shared<Node>(std::forward<Arguments>(arguments)...)->output(0));
  }
  std::vector<GraphNode> nodes_;
};

}  // namespace imatch
