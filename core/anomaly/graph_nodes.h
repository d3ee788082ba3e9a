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

/// Builds a network out of OpenVINO's operations.
class OpenVinoWriter final : public GraphWriter {
 public:
  Value input(GraphNode node);
  const GraphNode& node(Value value) const { return nodes_.at(value); }

  Value conv(Value input, const Conv& conv) override;
  Value add(Value a, Value b) override;
  Value relu(Value input, double limit) override;
  Value max_pool(Value input) override;

 private:
  Value keep(const std::shared_ptr<ov::Node>& node);
  std::vector<GraphNode> nodes_;
};

}  // namespace imatch
