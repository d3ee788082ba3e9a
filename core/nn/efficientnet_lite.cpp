// SPDX-License-Identifier: Apache-2.0
#include "nn/efficientnet_lite.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/add.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mean.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "nn/conv_weights.h"

namespace imatch {
namespace {

/// Blocks of lite0 that follow each other; only the first has the stride and changes the number of channels.
struct LiteBlockGroup {
  int repeats, kernel, stride, expansion, channels;
};
constexpr LiteBlockGroup kLiteGroups[] = {{1, 3, 1, 1, 16}, {2, 3, 2, 6, 24},  {2, 5, 2, 6, 40},
                                          {3, 3, 2, 6, 80}, {3, 5, 1, 6, 112}, {4, 5, 2, 6, 192},
                                          {1, 3, 1, 6, 320}};
constexpr int kLiteStemChannels = 32;
constexpr int kLiteHeadChannels = 1280;
constexpr int kLiteClasses = 1000;

/// Of what is expanded at once, where it is much more: it shall not leave the last level of the caches.
constexpr std::int64_t kLiteBandBytes = std::int64_t{6} << 20;
constexpr std::int64_t kFewestBandRows = 8;  ///< Two to four more are computed twice.
constexpr double kLiteNormEps = 1e-3;

/// round_filters of TensorFlow's efficientnet_model.py: to multiples of 8, never down by more than a tenth.
int scaled_channels(int channels, double width) {
  const double exact = channels * width;
  const int rounded = std::max(8, static_cast<int>(exact + 4) / 8 * 8);
  return rounded < 0.9 * exact ? rounded + 8 : rounded;
}

SameConv take_same_conv(WeightsCheckpoint& checkpoint, const std::string& conv, const std::string& norm,
                        int in, int out, int kernel, SameConv::Shape shape) {
  const ConvWeights folded =
      take_conv_and_norm(checkpoint, conv, norm, {out, in, kernel, kernel}, kLiteNormEps);
  return {folded.weight, folded.bias, shape};
}

}  // namespace

EfficientNetLite::EfficientNetLite(const EfficientNetLiteShape& shape, std::vector<int> strides_px,
                                   WeightsCheckpoint& checkpoint)
    : strides_px_(std::move(strides_px)) {
  stem_ =
      take_same_conv(checkpoint, "_conv_stem", "_bn0", 3, kLiteStemChannels, 3, {.stride = 2, .relu6 = true});
  int channels = kLiteStemChannels;
  int stride = 2;

  for (const LiteBlockGroup& group : kLiteGroups) {
    // The lite networks leave the stem, the head and the groups beside them as they are.
    const bool is_scaled = &group != std::begin(kLiteGroups) && &group != std::end(kLiteGroups) - 1;
    const int repeats = is_scaled ? static_cast<int>(std::ceil(shape.depth * group.repeats)) : group.repeats;
    const int out = scaled_channels(group.channels, shape.width);
    for (int repeat = 0; repeat < repeats; ++repeat) {
      const std::string name = fmt::format("_blocks.{}.", blocks_.size());
      const int block_stride = repeat == 0 ? group.stride : 1;
      const int wide = channels * group.expansion;
      const auto take = [&](const std::string& conv, const std::string& norm, int from, int to, int kernel) {
        return take_conv_and_norm(checkpoint, name + conv, name + norm, {to, from, kernel, kernel},
                                  kLiteNormEps);
      };
      std::optional<ConvWeights> expand;
      if (group.expansion != 1) expand = take("_expand_conv", "_bn0", channels, wide, 1);
      ConvWeights depthwise = take("_depthwise_conv", "_bn1", 1, wide, group.kernel);
      ConvWeights project = take("_project_conv", "_bn2", wide, out, 1);
      Block block;
      block.skip = repeat > 0;
      block.own_stride = block_stride;
      block.kernel = group.kernel;
      block.wide = wide;
      if (checkpoint.rounding() == WeightsCheckpoint::Rounding::kInt8 && expand) {
        block.int8.emplace(expand, depthwise, project, block_stride, block.skip);
        expand->weight = block.int8->rounded_expand();
        depthwise.weight = block.int8->rounded_depthwise();
        project.weight = block.int8->rounded_project();
      }
      if (expand) block.expand = SameConv(expand->weight, expand->bias, {.relu6 = true});
      block.depthwise =
          SameConv(depthwise.weight, depthwise.bias, {.stride = block_stride, .groups = wide, .relu6 = true});
      block.project = SameConv(project.weight, project.bias, {});
      stride *= block_stride;
      block.stride = stride;
      blocks_.push_back(std::move(block));
      channels = out;
    }
  }
  head_ = take_same_conv(checkpoint, "_conv_head", "_bn1", channels, kLiteHeadChannels, 1, {.relu6 = true});
  // In the order in which the published files have it, transposed: the product's rounding depends on that.
  const at::Tensor classifier =
      checkpoint.read("_fc.weight", {kLiteClasses, kLiteHeadChannels}, checkpoint.dtype());
  classifier_weight_ = checkpoint.parameter("_fc.weight", classifier.t().contiguous().t());
  classifier_bias_ = checkpoint.take("_fc.bias", {kLiteClasses});
  checkpoint.require_empty();
}

at::Tensor EfficientNetLite::run(const Block& block, const at::Tensor& x) const {
  if (block.int8) return (*block.int8)(x);
  const std::int64_t row_bytes = x.size(3) * block.wide * static_cast<std::int64_t>(x.element_size());
  if (x.is_cpu() && block.expand && x.size(0) * x.size(2) * row_bytes > 2 * kLiteBandBytes &&
      !at::GradMode::is_enabled())
    return run_in_bands(
        block, x, std::max<std::int64_t>(kFewestBandRows, kLiteBandBytes / row_bytes / block.own_stride));
  const at::Tensor inner = block.depthwise(block.expand ? (*block.expand)(x) : x);
  return block.skip ? block.project.add_to(x, inner) : block.project(inner);
}

at::Tensor EfficientNetLite::run_in_bands(const Block& block, const at::Tensor& x, std::int64_t band) const {
  const std::int64_t stride = block.own_stride, height = x.size(2), rows = (height + stride - 1) / stride;
  at::Tensor result;
  for (std::int64_t n = 0; n < x.size(0); ++n)
    for (std::int64_t top = 0; top < rows; top += band) {
      const std::int64_t count = std::min(band, rows - top);
      // A band is a picture of its own, whose padding is that of the whole: it begins at a multiple of the
      // stride and is even where the whole is. Rows that saw padding where there are neighbours are dropped.
      const std::int64_t beyond = (block.kernel / 2 + stride - 1) / stride * stride;
      const std::int64_t first = std::max<std::int64_t>(0, top * stride - beyond);
      std::int64_t last = (top + count) * stride + beyond;
      last = std::min(height, last + (height - last) % stride);
      const at::Tensor picture = x.narrow(0, n, 1);
      const at::Tensor inner = block.depthwise((*block.expand)(picture.narrow(2, first, last - first)))
                                   .narrow(2, top - first / stride, count);
      const at::Tensor made = block.project(inner);
      if (!result.defined())
        result = at::empty({x.size(0), made.size(1), rows, made.size(3)}, x.options(),
                           at::MemoryFormat::ChannelsLast);
      at::Tensor there = result.narrow(0, n, 1).narrow(2, top, count);
      if (block.skip)
        at::add_out(there, picture.narrow(2, top, count), made);
      else
        there.copy_(made);
    }
  return result;
}

bool EfficientNetLite::is_wanted(std::size_t n, std::size_t found) const {
  const bool ends_its_stride = n + 1 == blocks_.size() || blocks_[n + 1].stride > blocks_[n].stride;
  return ends_its_stride && blocks_[n].stride == strides_px_[found];
}

std::vector<std::size_t> EfficientNetLite::write(GraphWriter& to, std::size_t images) const {
  std::vector<std::size_t> layers;
  GraphWriter::Value x = stem_.write(to, images);
  for (std::size_t n = 0; n < blocks_.size() && layers.size() < strides_px_.size(); ++n) {
    const Block& block = blocks_[n];
    const GraphWriter::Value inner = block.depthwise.write(to, block.expand ? block.expand->write(to, x) : x);
    const GraphWriter::Value output = block.project.write(to, inner);
    x = block.skip ? to.add(x, output) : output;
    if (is_wanted(n, layers.size())) layers.push_back(x);
  }
  return layers;
}

std::vector<LayerOutput> EfficientNetLite::forward(const at::Tensor& images) const {
  std::vector<LayerOutput> layers;
  at::Tensor x = stem_(images.contiguous(at::MemoryFormat::ChannelsLast));
  for (std::size_t n = 0; n < blocks_.size() && layers.size() < strides_px_.size(); ++n) {
    x = run(blocks_[n], x);
    if (is_wanted(n, layers.size())) layers.push_back({x, {}});
  }
  return layers;
}

at::Tensor EfficientNetLite::logits(const at::Tensor& images) const {
  at::Tensor x = stem_(images.contiguous(at::MemoryFormat::ChannelsLast));
  for (const Block& block : blocks_) x = run(block, x);
  return at::linear(head_(x).mean({2, 3}), classifier_weight_, classifier_bias_);
}

}  // namespace imatch
