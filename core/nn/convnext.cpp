// SPDX-License-Identifier: Apache-2.0
#include "nn/convnext.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/layer_norm.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "nn/gradients.h"
#include "nn/graph_writer.h"

namespace imatch {
namespace {

constexpr int kStages = 4;
constexpr int kKernel = 7;
constexpr int kExpansion = 4;

}  // namespace

ConvNext::ConvNext(const ConvNextShape& shape, std::vector<int> stages, WeightsCheckpoint& checkpoint)
    : shape_(shape), wanted_(std::move(stages)) {
  for (int number = 0; number < kStages; ++number) {
    Stage taken = take_stage(checkpoint, number);
    if (number <= wanted_.back()) stages_.push_back(std::move(taken));
  }
  const int width = shape.widths.back();
  const Affine norm{checkpoint.take("norm.weight", {width}), checkpoint.take("norm.bias", {width})};
  if (wanted_.back() == kStages - 1) norm_ = norm;
  for (const char* norm_again : {"norms.3.weight", "norms.3.bias"}) checkpoint.skip(norm_again);
  checkpoint.require_empty();
}

ConvNext::Stage ConvNext::take_stage(WeightsCheckpoint& checkpoint, int number) const {
  const bool first = number == 0;
  const int width = shape_.widths[number];
  const int below = first ? 3 : shape_.widths[number - 1];
  const int kernel = first ? 4 : 2;
  const auto take = [&](const std::string& name, const WeightsCheckpoint::Shape& weight, int out) {
    const bool is_map = weight.size() == 4 && weight[1] > 1;
    at::Tensor read = checkpoint.read(name + ".weight", weight, checkpoint.dtype());
    if (is_map) read = read.contiguous(at::MemoryFormat::ChannelsLast);
    return Affine{checkpoint.parameter(name + ".weight", read), checkpoint.take(name + ".bias", {out})};
  };
  const std::string before = fmt::format("downsample_layers.{}.", number);
  const int normed_width = first ? width : below;
  Stage stage;
  stage.conv = take(before + (first ? "0" : "1"), {width, below, kernel, kernel}, width);
  stage.norm = take(before + (first ? "1" : "0"), {normed_width}, normed_width);
  for (int n = 0; n < shape_.depths[number]; ++n) {
    const std::string name = fmt::format("stages.{}.{}.", number, n);
    const int wide = kExpansion * width;
    Block block;
    block.depthwise = take(name + "dwconv", {width, 1, kKernel, kKernel}, width);
    block.norm = take(name + "norm", {width}, width);
    block.widen = checkpoint.take_linear(name + "pwconv1", width, wide);
    block.narrow = checkpoint.take_linear(name + "pwconv2", wide, width);
    block.scale = checkpoint.take(name + "gamma", {width});
    stage.blocks.push_back(std::move(block));
  }
  return stage;
}

/// Maps are channels-last, so that their channels lie side by side for the norm and the linear layers.
at::Tensor ConvNext::normed(const at::Tensor& map, const Affine& norm) const {
  return at::layer_norm(map.permute({0, 2, 3, 1}), {map.size(1)}, norm.weight, norm.bias, shape_.norm_eps)
      .permute({0, 3, 1, 2});
}

at::Tensor ConvNext::downsampled(const at::Tensor& map, const Stage& stage, bool first) const {
  const std::int64_t stride = stage.conv.weight.size(2);
  const auto conv = [&](const at::Tensor& x) {
    return at::conv2d(x, stage.conv.weight, stage.conv.bias, {stride, stride})
        .contiguous(at::MemoryFormat::ChannelsLast);
  };
  return first ? normed(conv(map), stage.norm) : conv(normed(map, stage.norm));
}

void ConvNext::run(const Block& block, at::Tensor& map) const {
  const std::int64_t channels = map.size(1);
  const at::Tensor mixed = at::conv2d(map, block.depthwise.weight, block.depthwise.bias, {1, 1},
                                      {kKernel / 2, kKernel / 2}, {1, 1}, channels)
                               .contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor tokens = normed(mixed, block.norm).permute({0, 2, 3, 1});
  at::Tensor sum = map.permute({0, 2, 3, 1});
  add_scaled(sum, block.narrow(block.widen.gelu(tokens)), block.scale);
  map = sum.permute({0, 3, 1, 2});
}

InputSizeRule ConvNext::input_size() const {
  // The grids of several stages lie over each other only where nothing is cut off.
  return {.multiple_px = 4 << wanted_.back(), .cut_multiple_px = wanted_.size() == 1 ? 4 : 0};
}

std::vector<int> ConvNext::strides_px() const {
  std::vector<int> strides;
  for (const int stage : wanted_) strides.push_back(4 << stage);
  return strides;
}

LayerOutput ConvNext::output(const at::Tensor& map, bool is_last_stage) const {
  const at::Tensor tokens = map.permute({0, 2, 3, 1});
  const at::Tensor mean = tokens.flatten(1, 2).mean(1);
  // The class token of a ConvNeXt is the mean of the patches: with or without it their mean is the same.
  if (!is_last_stage) return {map, mean, mean.to(at::kFloat)};
  const auto final_norm = [&](const at::Tensor& x) {
    return at::layer_norm(x, {x.size(-1)}, norm_.weight, norm_.bias, shape_.norm_eps);
  };
  return {final_norm(tokens).permute({0, 3, 1, 2}), final_norm(mean), mean.to(at::kFloat)};
}

std::vector<LayerOutput> ConvNext::forward(const at::Tensor& images) const {
  std::vector<LayerOutput> outputs;
  at::Tensor map = images.contiguous(at::MemoryFormat::ChannelsLast);
  for (int number = 0; number <= wanted_.back(); ++number) {
    map = downsampled(map, stages_[number], number == 0);
    for (const Block& block : stages_[number].blocks) run(block, map);
    if (std::ranges::count(wanted_, number) > 0) outputs.push_back(output(map, number == kStages - 1));
  }
  return outputs;
}

std::vector<std::size_t> ConvNext::write(GraphWriter& to, std::size_t images) const {
  const auto normed_map = [&](std::size_t map, const Affine& norm) {
    const std::array<std::int64_t, 2> grid = to.grid(map);
    return to.map_of_tokens(to.layer_norm(to.tokens_of_map(map), norm.weight, norm.bias, shape_.norm_eps),
                            grid);
  };
  std::vector<std::size_t> layers;
  std::size_t map = images;
  for (int number = 0; number <= wanted_.back(); ++number) {
    const Stage& stage = stages_[number];
    const auto shrunk = [&](std::size_t x) {
      return to.conv(x, {.weight = stage.conv.weight,
                         .bias = stage.conv.bias,
                         .stride = static_cast<int>(stage.conv.weight.size(2)),
                         .padding = GraphWriter::Padding::kNone});
    };
    map = number == 0 ? normed_map(shrunk(map), stage.norm) : shrunk(normed_map(map, stage.norm));
    const std::array<std::int64_t, 2> grid = to.grid(map);
    for (const Block& block : stage.blocks) {
      const std::size_t mixed = to.conv(
          map,
          {.weight = block.depthwise.weight, .bias = block.depthwise.bias, .groups = shape_.widths[number]});
      const std::size_t tokens =
          to.layer_norm(to.tokens_of_map(mixed), block.norm.weight, block.norm.bias, shape_.norm_eps);
      const std::size_t wide = to.gelu(to.linear(tokens, block.widen.weight(), block.widen.bias()));
      const std::size_t narrow = to.linear(wide, block.narrow.weight(), block.narrow.bias());
      map = to.add(map, to.map_of_tokens(to.multiply(narrow, to.constant(block.scale)), grid));
    }
    if (std::ranges::count(wanted_, number) > 0)
      layers.push_back(number == kStages - 1 ? normed_map(map, norm_) : map);
  }
  return layers;
}

}  // namespace imatch
