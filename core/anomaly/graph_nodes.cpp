// SPDX-License-Identifier: Apache-2.0
#include "anomaly/graph_nodes.h"

#include <openvino/op/add.hpp>
#include <openvino/op/clamp.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/max_pool.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/shape_of.hpp>
#include <openvino/op/slice.hpp>
#include <openvino/op/topk.hpp>

#include "base/error.h"

namespace imatch {

GraphNode graph_constant(const at::Tensor& values, bool half) {
  const at::Tensor data = values.to(at::kCPU, half ? at::kHalf : at::kFloat).contiguous();
  const ov::Shape shape(data.sizes().begin(), data.sizes().end());
  const auto constant = std::make_shared<ov::op::v0::Constant>(half ? ov::element::f16 : ov::element::f32,
                                                               shape, data.const_data_ptr());
  if (!half) return constant;
  if (!data.isfinite().all().item<bool>())
    throw Error("OpenVINO graph: a weight is beyond the range of float16");
  return std::make_shared<ov::op::v0::Convert>(constant, ov::element::f32);
}

GraphNode graph_constant(float value) {
  return std::make_shared<ov::op::v0::Constant>(ov::element::f32, ov::Shape{}, value);
}

GraphNode graph_integers(const std::vector<std::int64_t>& values) {
  return std::make_shared<ov::op::v0::Constant>(ov::element::i64, ov::Shape{values.size()}, values);
}

GraphNode graph_integer(std::int64_t value) {
  return std::make_shared<ov::op::v0::Constant>(ov::element::i64, ov::Shape{}, value);
}

GraphNode graph_sizes(const GraphNode& node, std::int64_t begin, std::int64_t end) {
  const auto shape = std::make_shared<ov::op::v3::ShapeOf>(node, ov::element::i64);
  return std::make_shared<ov::op::v8::Slice>(shape, graph_integers({begin}), graph_integers({end}),
                                             graph_integers({1}));
}

GraphBest graph_best(const GraphNode& scores, std::int64_t k, std::int64_t axis, bool largest) {
  using TopK = ov::op::v11::TopK;
  const auto best =
      std::make_shared<TopK>(scores, graph_integer(k), axis, largest ? TopK::Mode::MAX : TopK::Mode::MIN,
                             TopK::SortType::SORT_VALUES, ov::element::i64, /*stable=*/true);
  return {best->output(0), best->output(1)};
}

GraphWriter::Value OpenVinoWriter::input(GraphNode node) {
  nodes_.push_back(std::move(node));
  return nodes_.size() - 1;
}

GraphWriter::Value OpenVinoWriter::keep(const std::shared_ptr<ov::Node>& node) {
  return input(node->output(0));
}

GraphWriter::Value OpenVinoWriter::conv(Value input, const Conv& conv) {
  const auto stride = static_cast<std::size_t>(conv.stride);
  const ov::Strides strides{stride, stride}, dilations{1, 1};
  const std::ptrdiff_t half = conv.weight.size(2) / 2;
  const ov::CoordinateDiff padding{half, half};
  const ov::op::PadType type = conv.same ? ov::op::PadType::SAME_UPPER : ov::op::PadType::EXPLICIT;
  at::Tensor weight = conv.weight;
  std::shared_ptr<ov::Node> product;
  if (conv.groups == 1) {
    product = std::make_shared<ov::op::v1::Convolution>(nodes_.at(input), graph_constant(weight, true),
                                                        strides, padding, padding, dilations, type);
  } else {
    weight = weight.contiguous().view(
        {conv.groups, weight.size(0) / conv.groups, weight.size(1), weight.size(2), weight.size(3)});
    product = std::make_shared<ov::op::v1::GroupConvolution>(nodes_.at(input), graph_constant(weight, true),
                                                             strides, padding, padding, dilations, type);
  }
  return keep(
      std::make_shared<ov::op::v1::Add>(product, graph_constant(conv.bias.view({1, -1, 1, 1}), true)));
}

GraphWriter::Value OpenVinoWriter::add(Value a, Value b) {
  return keep(std::make_shared<ov::op::v1::Add>(nodes_.at(a), nodes_.at(b)));
}

GraphWriter::Value OpenVinoWriter::relu(Value input, double limit) {
  if (limit > 0) return keep(std::make_shared<ov::op::v0::Clamp>(nodes_.at(input), 0, limit));
  return keep(std::make_shared<ov::op::v0::Relu>(nodes_.at(input)));
}

GraphWriter::Value OpenVinoWriter::max_pool(Value input) {
  const auto pool =
      std::make_shared<ov::op::v8::MaxPool>(nodes_.at(input), ov::Strides{2, 2}, ov::Strides{1, 1},
                                            ov::Shape{1, 1}, ov::Shape{1, 1}, ov::Shape{3, 3});
  return keep(pool);
}

}  // namespace imatch
