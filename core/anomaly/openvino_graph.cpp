// SPDX-License-Identifier: Apache-2.0
#include "anomaly/openvino_graph.h"

#include <ATen/ops/adaptive_avg_pool1d.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <openvino/core/model.hpp>
#include <openvino/op/add.hpp>
#include <openvino/op/avg_pool.hpp>
#include <openvino/op/clamp.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/gather.hpp>
#include <openvino/op/gather_elements.hpp>
#include <openvino/op/greater_eq.hpp>
#include <openvino/op/interpolate.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/pad.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/reduce_mean.hpp>
#include <openvino/op/reduce_sum.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/result.hpp>
#include <openvino/op/slice.hpp>
#include <openvino/op/softmax.hpp>
#include <openvino/op/sqrt.hpp>
#include <openvino/op/squared_difference.hpp>
#include <openvino/op/subtract.hpp>
#include <openvino/op/transpose.hpp>

#include "anomaly/anomaly_map.h"
#include "backbone/network_backbone.h"
#include "backbone/openvino_writer.h"
#include "base/error.h"

namespace imatch {
namespace {

namespace op = ov::op;
using Interpolate = op::v4::Interpolate;

/// Candidates beyond those wanted: the matrix form orders what is nearly equally near by its rounding.
constexpr std::int64_t kMoreCandidates = 3;

template <class Node, class... Arguments>
GraphNode make(Arguments&&... arguments) {
  return std::make_shared<Node>(std::forward<Arguments>(arguments)...)->output(0);
}

/// Version 4, which devices run as it stands: a later one they would rewrite, and lose that it is to be
/// computed in float32.
GraphNode resized_to(const GraphNode& map, const GraphNode& sizes, Interpolate::InterpolateMode mode) {
  Interpolate::InterpolateAttrs attributes;
  attributes.mode = mode;
  attributes.shape_calculation_mode = Interpolate::ShapeCalcMode::SIZES;
  if (mode == Interpolate::InterpolateMode::NEAREST) {
    attributes.coordinate_transformation_mode = Interpolate::CoordinateTransformMode::ASYMMETRIC;
    attributes.nearest_mode = Interpolate::NearestMode::FLOOR;
  }
  const GraphNode unused_scales = graph_constant(at::ones({2}));
  return make<Interpolate>(map, sizes, unused_scales, graph_integers({2, 3}), attributes);
}

/// As Pillow does it: antialiased.
GraphNode shrunk_to(const GraphNode& images, std::int64_t height, std::int64_t width) {
  op::v11::Interpolate::InterpolateAttrs attributes;
  attributes.mode = op::v11::Interpolate::InterpolateMode::BILINEAR_PILLOW;
  attributes.shape_calculation_mode = op::v11::Interpolate::ShapeCalcMode::SIZES;
  return make<op::v11::Interpolate>(images, graph_integers({height, width}), graph_integers({2, 3}),
                                    attributes);
}

/// value * scale + shift for each channel.
GraphNode by_channel(const GraphNode& images, const std::array<float, 3>& scale,
                     const std::array<float, 3>& shift) {
  const auto row = [](const std::array<float, 3>& values) {
    return graph_constant(at::tensor(at::ArrayRef<float>(values.data(), 3)).view({1, 3, 1, 1}));
  };
  return make<op::v1::Add>(make<op::v1::Multiply>(images, row(scale)), row(shift));
}

/// From the graph's input to what the network takes: from [0, 1], or from ImageNet's normalisation.
GraphNode network_images(const GraphNode& input, const Normalization& own, const AnomalyModelConfig& config,
                         bool from_unit) {
  const Normalization given = normalization(from_unit ? "none" : "imagenet");
  GraphNode images = input;
  if (from_unit) images = shrunk_to(images, config.image_height, config.image_width);
  if (given.mean == own.mean && given.std == own.std) return images;
  std::array<float, 3> scale{}, shift{};
  for (std::size_t c = 0; c < 3; ++c) {
    scale[c] = given.std[c] / own.std[c];
    shift[c] = (given.mean[c] - own.mean[c]) / own.std[c];
  }
  return by_channel(images, scale, shift);
}

/// adaptive_avg_pool1d from `from` to `to` numbers as a matrix [to, from].
at::Tensor pooling_matrix(std::int64_t from, std::int64_t to) {
  return at::adaptive_avg_pool1d(at::eye(from).unsqueeze(1), {to}).squeeze(1).t();
}

/// Patch features [1, D, h, w], as patch_features.
GraphNode patch_nodes(const std::vector<GraphNode>& layers, const PatchCoreMethod& method) {
  const auto side = static_cast<std::size_t>(method.patch_size);
  const std::size_t half = side / 2;
  const GraphNode grid = graph_sizes(layers.front(), 2, 4);
  const auto on_grid = [&](const GraphNode& map, bool first) {
    return first ? map : resized_to(map, grid, Interpolate::InterpolateMode::LINEAR_ONNX);
  };
  if (method.pooling == "average") {
    ov::OutputVector parts;
    for (const GraphNode& layer : layers) {
      const GraphNode pooled =
          side == 1
              ? layer
              : make<op::v1::AvgPool>(layer, ov::Strides{1, 1}, ov::Shape{half, half}, ov::Shape{half, half},
                                      ov::Shape{side, side}, /*exclude_pad=*/false);
      parts.push_back(on_grid(pooled, parts.empty()));
    }
    return parts.size() == 1 ? parts.front() : make<op::v0::Concat>(parts, 1);
  }
  // Taking neighbourhoods and both averages are linear: one convolution a layer, and their sum.
  const auto num_layers = static_cast<std::int64_t>(layers.size());
  const at::Tensor to_dims = pooling_matrix(num_layers * method.layer_dims, method.dims);
  GraphNode sum;
  for (std::int64_t i = 0; i < num_layers; ++i) {
    const GraphNode& layer = layers[static_cast<std::size_t>(i)];
    const std::int64_t channels = layer.get_partial_shape()[1].get_length();
    const std::int64_t taps = method.patch_size * method.patch_size;
    const at::Tensor weight = to_dims.narrow(1, i * method.layer_dims, method.layer_dims)
                                  .mm(pooling_matrix(channels * taps, method.layer_dims))
                                  .view({method.dims, channels, method.patch_size, method.patch_size});
    const auto pad = static_cast<std::ptrdiff_t>(half);
    const GraphNode part = on_grid(make<op::v1::Convolution>(layer, graph_constant(weight), ov::Strides{1, 1},
                                                             ov::CoordinateDiff{pad, pad},
                                                             ov::CoordinateDiff{pad, pad}, ov::Strides{1, 1}),
                                   i == 0);
    sum = i == 0 ? part : make<op::v1::Add>(sum, part);
  }
  return sum;
}

/// The memory bank inside the graph. Tables are [candidates, P], a row of the bank by the P queries: the best
/// along the first axis are found many times faster than along the last.
class BankNodes {
 public:
  BankNodes(const at::Tensor& rows, std::int64_t num_patches, double block_mb)
      : scaled_(make<op::v1::Multiply>(graph_constant(rows, true), graph_constant(kScale))),
        count_(rows.size(0)) {
    const auto block = static_cast<std::int64_t>(block_mb * 1e6 / 4 / static_cast<double>(num_patches));
    block_ = std::clamp<std::int64_t>(block, 1, count_);
  }

  std::int64_t count() const { return count_; }

  /// The row [1, D] at a position [1].
  GraphNode row(const GraphNode& position) const {
    return make<op::v1::Multiply>(gathered(position), graph_constant(1 / kScale));
  }

  /// Candidates for the k nearest of each query [P, D]: their positions [about k + 3, P], by blocks of rows.
  GraphNode candidates(const GraphNode& queries, std::int64_t k) const {
    const std::int64_t wanted = std::min(count_, k + kMoreCandidates);
    ov::OutputVector scores, positions;
    for (std::int64_t first = 0; first < count_; first += block_) {
      const std::int64_t some = std::min(block_, count_ - first);
      const GraphNode rows = some == count_ ? scaled_
                                            : make<op::v8::Slice>(scaled_, graph_integers({first}),
                                                                  graph_integers({first + some}),
                                                                  graph_integers({1}), graph_integers({0}));
      // |y|^2 - 2 x y: the query's own length is the same for all.
      const GraphNode squares = make<op::v1::Multiply>(
          make<op::v1::ReduceSum>(make<op::v1::Multiply>(rows, rows), graph_integers({1}), true),
          graph_constant(1 / (kScale * kScale)));
      const GraphNode products = make<op::v0::MatMul>(rows, queries, false, true);
      const GraphBest best = graph_best(make<op::v1::Add>(products, squares), std::min(wanted, some), 0);
      scores.push_back(best.values);
      positions.push_back(first == 0 ? best.positions
                                     : make<op::v1::Add>(best.positions, graph_integer(first)));
    }
    if (scores.size() == 1) return positions.front();
    const GraphBest best = graph_best(make<op::v0::Concat>(scores, 0), wanted, 0);
    return make<op::v6::GatherElements>(make<op::v0::Concat>(positions, 0), best.positions, 0);
  }

  /// Squared distances, by direct difference, of each query [P, D] to its candidates [c, P].
  GraphNode squares_to(const GraphNode& queries, const GraphNode& positions) const {
    const GraphNode difference = make<op::v0::SquaredDifference>(
        gathered(positions), make<op::v1::Multiply>(queries, graph_constant(kScale)));
    return make<op::v1::Multiply>(make<op::v1::ReduceSum>(difference, graph_integers({2}), false),
                                  graph_constant(1 / (kScale * kScale)));
  }

 private:
  /// Rows are used multiplied by this, which saves a pass over the table and, being a power of two, rounds
  /// nothing; and what is no plain float16 constant is gathered as float32, which is quicker.
  static constexpr float kScale = -2;

  GraphNode gathered(const GraphNode& positions) const {
    return make<op::v8::Gather>(scaled_, positions, graph_integer(0));
  }

  GraphNode scaled_;
  std::int64_t count_;
  std::int64_t block_ = 1;
};

struct ScoreNodes {
  GraphNode patches;  ///< [P].
  GraphNode image;    ///< [1].
};

ScoreNodes score_nodes(const GraphNode& queries, const BankNodes& bank, const PatchCoreMethod& method) {
  const auto as_distance = [&](const GraphNode& squares) {
    return method.distance == "squared" ? squares : make<op::v0::Sqrt>(squares);
  };
  const std::int64_t neighbors = std::min<std::int64_t>(method.num_neighbors, bank.count());
  const std::int64_t k = method.score == "mean" ? neighbors : 1;
  const GraphNode positions = bank.candidates(queries, k);
  const GraphBest nearest = graph_best(bank.squares_to(queries, positions), k, 0);
  ScoreNodes nodes;
  nodes.patches = make<op::v1::ReduceMean>(as_distance(nearest.values), graph_integers({0}), false);
  const GraphBest worst = graph_best(nodes.patches, 1, 0, true);
  nodes.image = worst.values;
  if (method.score != "reweighted" || neighbors == 1) return nodes;
  // The rows around the row that is nearest to the worst patch.
  const GraphNode patch = make<op::v8::Gather>(queries, worst.positions, graph_integer(0));
  const GraphNode nearest_rows = make<op::v6::GatherElements>(positions, nearest.positions, 0);  // [1, P]
  const GraphNode centre = bank.row(make<op::v1::Reshape>(
      make<op::v8::Gather>(nearest_rows, worst.positions, graph_integer(1)), graph_integers({1}), false));
  const GraphNode near = bank.candidates(centre, neighbors);
  const GraphBest around = graph_best(bank.squares_to(centre, near), neighbors, 0);
  const GraphNode around_rows = make<op::v6::GatherElements>(near, around.positions, 0);
  const GraphNode distances = as_distance(bank.squares_to(patch, around_rows));
  const GraphNode share = make<op::v8::Softmax>(distances, 0);
  const GraphNode first =
      make<op::v1::Reshape>(make<op::v8::Slice>(share, graph_integers({0}), graph_integers({1}),
                                                graph_integers({1}), graph_integers({0})),
                            graph_integers({1}), false);
  nodes.image = make<op::v1::Multiply>(make<op::v1::Subtract>(graph_constant(1.F), first), nodes.image);
  return nodes;
}

GraphNode map_nodes(const GraphNode& patches, const GraphNode& size_like, const PatchCoreMethod& method) {
  GraphNode map = resized_to(patches, graph_sizes(size_like, 2, 4),
                             method.upsampling == "bilinear" ? Interpolate::InterpolateMode::LINEAR_ONNX
                                                             : Interpolate::InterpolateMode::NEAREST);
  if (method.blur_sigma_px <= 0) return map;
  const std::vector<double> taps = gaussian_taps(method.blur_sigma_px);
  const auto count = static_cast<std::int64_t>(taps.size());
  const GraphNode reach = graph_integers({0, 0, count / 2, count / 2});
  map = make<op::v1::Pad>(map, reach, reach,
                          method.blur_border == "symmetric" ? op::PadMode::SYMMETRIC : op::PadMode::REFLECT);
  const at::Tensor weights = at::tensor(taps).to(at::kFloat);
  for (const bool down : {true, false}) {
    const at::Tensor kernel = down ? weights.view({1, 1, count, 1}) : weights.view({1, 1, 1, count});
    map = make<op::v1::Convolution>(map, graph_constant(kernel), ov::Strides{1, 1}, ov::CoordinateDiff{0, 0},
                                    ov::CoordinateDiff{0, 0}, ov::Strides{1, 1});
  }
  return map;
}

std::shared_ptr<op::v0::Result> named_result(GraphNode node, const std::string& name) {
  node.set_names({name});
  return std::make_shared<op::v0::Result>(node);
}

/// anomalib's scale: the threshold at 0.5, and one wide what normal pictures reach.
GraphNode normalised(const GraphNode& scores, double threshold, double range) {
  const auto divisor = static_cast<float>(1 / std::max(range, 1e-12));
  const GraphNode scaled = make<op::v1::Multiply>(
      make<op::v1::Subtract>(scores, graph_constant(static_cast<float>(threshold))), graph_constant(divisor));
  return make<op::v0::Clamp>(make<op::v1::Add>(scaled, graph_constant(0.5F)), 0.0, 1.0);
}

}  // namespace

std::shared_ptr<ov::Model> anomaly_graph(const AnomalyModel& model, const Backbone& backbone,
                                         const AnomalyGraphOptions& options) {
  const AnomalyModelConfig& config = model.config;
  const NetworkBackbone& network = *backbone.as_network();
  const bool anomalib = options.layout == "anomalib";
  const bool from_unit = anomalib || options.preprocess_inside;
  const ov::PartialShape shape = from_unit ? ov::PartialShape{1, 3, -1, -1}
                                           : ov::PartialShape{1, 3, config.image_height, config.image_width};
  const auto input = std::make_shared<op::v0::Parameter>(ov::element::f32, shape);
  input->set_friendly_name("input");
  input->output(0).set_names({"input"});

  const GraphNode images = network_images(input, network.input().normalization, config, from_unit);
  OpenVinoWriter writer;
  std::vector<GraphNode> layers;
  for (const GraphWriter::Value layer : network.network().write(writer, writer.input(images)))
    layers.push_back(writer.node(layer));
  const GraphNode features = patch_nodes(layers, config.method);
  const GraphNode queries =
      make<op::v1::Reshape>(make<op::v1::Transpose>(features, graph_integers({0, 2, 3, 1})),
                            graph_integers({-1, model.bank.size(1)}), false);
  const int stride = network.network().strides_px().front();
  const std::int64_t patches = static_cast<std::int64_t>((config.image_height + stride - 1) / stride) *
                               ((config.image_width + stride - 1) / stride);
  const BankNodes bank(model.bank, patches, options.block_mb);
  const ScoreNodes scores = score_nodes(queries, bank, config.method);
  const GraphNode grid =
      make<op::v0::Concat>(ov::OutputVector{graph_integers({1, 1}), graph_sizes(layers.front(), 2, 4)}, 0);
  const GraphNode map = map_nodes(make<op::v1::Reshape>(scores.patches, grid, false), images, config.method);
  if (!anomalib)
    return std::make_shared<ov::Model>(
        ov::ResultVector{named_result(map, "anomaly_map"), named_result(scores.image, "pred_score")},
        ov::ParameterVector{input}, config.pattern_name);
  const Thresholds& at = model.thresholds;
  const GraphNode score = normalised(scores.image, at.image, model.norm_stats.max_score);
  const GraphNode pixels = normalised(map, at.pixel, model.norm_stats.max_pixel);
  return std::make_shared<ov::Model>(
      ov::ResultVector{named_result(score, "pred_score"),
                       named_result(make<op::v1::GreaterEqual>(score, graph_constant(0.5F)), "pred_label"),
                       named_result(pixels, "anomaly_map"),
                       named_result(make<op::v1::GreaterEqual>(pixels, graph_constant(0.5F)), "pred_mask")},
      ov::ParameterVector{input}, config.pattern_name);
}

}  // namespace imatch
