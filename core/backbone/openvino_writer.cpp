// SPDX-License-Identifier: Apache-2.0
#include "backbone/openvino_writer.h"

#include <cmath>
#include <openvino/op/add.hpp>
#include <openvino/op/clamp.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/gelu.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/max_pool.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/mvn.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/shape_of.hpp>
#include <openvino/op/slice.hpp>
#include <openvino/op/softmax.hpp>
#include <openvino/op/swish.hpp>
#include <openvino/op/topk.hpp>
#include <openvino/op/transpose.hpp>

#include "base/error.h"

namespace imatch {

namespace op = ov::op;
using Value = GraphWriter::Value;

GraphNode graph_constant(const at::Tensor& values, bool half) {
  const at::Tensor data = values.to(at::kCPU, half ? at::kHalf : at::kFloat).contiguous();
  const ov::Shape shape(data.sizes().begin(), data.sizes().end());
  const auto constant = std::make_shared<op::v0::Constant>(half ? ov::element::f16 : ov::element::f32, shape,
                                                           data.const_data_ptr());
  if (!half) return constant;
  if (!data.isfinite().all().item<bool>())
    throw Error("OpenVINO graph: a weight is beyond the range of float16");
  return std::make_shared<op::v0::Convert>(constant, ov::element::f32);
}

GraphNode graph_constant(float value) {
  return std::make_shared<op::v0::Constant>(ov::element::f32, ov::Shape{}, value);
}

GraphNode graph_integers(const std::vector<std::int64_t>& values) {
  return std::make_shared<op::v0::Constant>(ov::element::i64, ov::Shape{values.size()}, values);
}

GraphNode graph_integer(std::int64_t value) {
  return std::make_shared<op::v0::Constant>(ov::element::i64, ov::Shape{}, value);
}

GraphNode graph_sizes(const GraphNode& node, std::int64_t begin, std::int64_t end) {
  const auto shape = std::make_shared<op::v3::ShapeOf>(node, ov::element::i64);
  return std::make_shared<op::v8::Slice>(shape, graph_integers({begin}), graph_integers({end}),
                                         graph_integers({1}));
}

GraphBest graph_best(const GraphNode& scores, std::int64_t k, std::int64_t axis, bool largest) {
  using TopK = op::v11::TopK;
  const auto best =
      std::make_shared<TopK>(scores, graph_integer(k), axis, largest ? TopK::Mode::MAX : TopK::Mode::MIN,
                             TopK::SortType::SORT_VALUES, ov::element::i64, /*stable=*/true);
  return {best->output(0), best->output(1)};
}

Value OpenVinoWriter::input(GraphNode node) {
  nodes_.push_back(std::move(node));
  return nodes_.size() - 1;
}

Value OpenVinoWriter::conv(Value map, const Conv& conv) {
  const auto stride = static_cast<std::size_t>(conv.stride);
  const ov::Strides strides{stride, stride}, dilations{1, 1};
  const std::ptrdiff_t half = conv.padding == Padding::kHalf ? conv.weight.size(2) / 2 : 0;
  const ov::CoordinateDiff padding{half, half};
  const op::PadType type = conv.padding == Padding::kSame ? op::PadType::SAME_UPPER : op::PadType::EXPLICIT;
  at::Tensor weight = conv.weight;
  Value product = 0;
  if (conv.groups == 1) {
    product = keep<op::v1::Convolution>(node(map), graph_constant(weight, true), strides, padding, padding,
                                        dilations, type);
  } else {
    weight = weight.contiguous().view(
        {conv.groups, weight.size(0) / conv.groups, weight.size(1), weight.size(2), weight.size(3)});
    product = keep<op::v1::GroupConvolution>(node(map), graph_constant(weight, true), strides, padding,
                                             padding, dilations, type);
  }
  return keep<op::v1::Add>(node(product), graph_constant(conv.bias.view({1, -1, 1, 1}), true));
}

Value OpenVinoWriter::relu(Value input, double limit) {
  if (limit > 0) return keep<op::v0::Clamp>(node(input), 0, limit);
  return keep<op::v0::Relu>(node(input));
}

Value OpenVinoWriter::max_pool(Value map) {
  return keep<op::v8::MaxPool>(node(map), ov::Strides{2, 2}, ov::Strides{1, 1}, ov::Shape{1, 1},
                               ov::Shape{1, 1}, ov::Shape{3, 3});
}

Value OpenVinoWriter::add(Value a, Value b) {
  return keep<op::v1::Add>(node(a), node(b));
}

Value OpenVinoWriter::multiply(Value a, Value b) {
  return keep<op::v1::Multiply>(node(a), node(b));
}

Value OpenVinoWriter::constant(const at::Tensor& values) {
  return input(graph_constant(values));
}

Value OpenVinoWriter::concat(const std::vector<Value>& parts, int axis) {
  ov::OutputVector nodes;
  for (const Value part : parts) nodes.push_back(node(part));
  return keep<op::v0::Concat>(nodes, axis);
}

Value OpenVinoWriter::slice(Value input, int axis, std::int64_t begin, std::int64_t end) {
  return keep<op::v8::Slice>(node(input), graph_integers({begin}), graph_integers({end}), graph_integers({1}),
                             graph_integers({axis}));
}

Value OpenVinoWriter::linear(Value tokens, const at::Tensor& weight, const at::Tensor& bias) {
  const Value product = keep<op::v0::MatMul>(node(tokens), graph_constant(weight, true), false, true);
  return bias.defined() ? keep<op::v1::Add>(node(product), graph_constant(bias, true)) : product;
}

Value OpenVinoWriter::layer_norm(Value tokens, const at::Tensor& weight, const at::Tensor& bias, double eps) {
  const Value unit = keep<op::v6::MVN>(node(tokens), graph_integers({-1}), /*normalize_variance=*/true,
                                       static_cast<float>(eps), op::MVNEpsMode::INSIDE_SQRT);
  const Value scaled = keep<op::v1::Multiply>(node(unit), graph_constant(weight, true));
  return keep<op::v1::Add>(node(scaled), graph_constant(bias, true));
}

Value OpenVinoWriter::gelu(Value input) {
  return keep<op::v7::Gelu>(node(input), op::GeluApproximationMode::ERF);
}

Value OpenVinoWriter::silu(Value input) {
  return keep<op::v4::Swish>(node(input));
}

Value OpenVinoWriter::split_heads(Value tokens, int heads) {
  const std::int64_t width = node(tokens).get_partial_shape()[2].get_length();
  const Value split = keep<op::v1::Reshape>(node(tokens), graph_integers({0, 0, heads, width / heads}),
                                            /*special_zero=*/true);
  return keep<op::v1::Transpose>(node(split), graph_integers({0, 2, 1, 3}));
}

Value OpenVinoWriter::attention(Value query, Value key, Value value) {
  const ov::PartialShape shape = node(query).get_partial_shape();
  const auto heads = shape[1].get_length(), width = shape[3].get_length();
  const float scale = 1 / std::sqrt(static_cast<float>(width));
  const Value scaled = keep<op::v1::Multiply>(node(query), graph_constant(scale));
  const Value scores = keep<op::v0::MatMul>(node(scaled), node(key), false, true);
  const Value shares = keep<op::v8::Softmax>(node(scores), -1);
  const Value summed = keep<op::v0::MatMul>(node(shares), node(value));
  const Value by_token = keep<op::v1::Transpose>(node(summed), graph_integers({0, 2, 1, 3}));
  return keep<op::v1::Reshape>(node(by_token), graph_integers({0, 0, heads * width}), /*special_zero=*/true);
}

std::array<std::int64_t, 2> OpenVinoWriter::grid(Value map) {
  const ov::PartialShape shape = node(map).get_partial_shape();
  if (shape[2].is_dynamic() || shape[3].is_dynamic())
    throw Error("OpenVINO graph: this network is written for one size of image only");
  return {shape[2].get_length(), shape[3].get_length()};
}

Value OpenVinoWriter::tokens_of_map(Value map) {
  const std::int64_t channels = node(map).get_partial_shape()[1].get_length();
  const Value flat =
      keep<op::v1::Reshape>(node(map), graph_integers({0, channels, -1}), /*special_zero=*/true);
  return keep<op::v1::Transpose>(node(flat), graph_integers({0, 2, 1}));
}

Value OpenVinoWriter::map_of_tokens(Value tokens, std::array<std::int64_t, 2> grid) {
  const Value cells = keep<op::v1::Reshape>(node(tokens), graph_integers({0, grid[0], grid[1], -1}),
                                            /*special_zero=*/true);
  return keep<op::v1::Transpose>(node(cells), graph_integers({0, 3, 1, 2}));
}

}  // namespace imatch
