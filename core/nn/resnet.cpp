// SPDX-License-Identifier: Apache-2.0
#include "nn/resnet.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/relu.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace imatch {
namespace {

constexpr int kResNetStemChannels = 64;
constexpr int kResNetClasses = 1000;
constexpr double kResNetBatchNormEps = 1e-5;

}  // namespace

at::Tensor ResNet::Conv::operator()(const at::Tensor& x) const {
  const std::int64_t padding = weights.weight.size(2) / 2;
  return at::conv2d(x, weights.weight, weights.bias, {stride, stride}, {padding, padding});
}

GraphWriter::Value ResNet::Conv::write(GraphWriter& to, GraphWriter::Value x) const {
  return to.conv(x, {.weight = weights.weight, .bias = weights.bias, .stride = stride});
}

ResNet::Conv ResNet::take_conv(WeightsCheckpoint& checkpoint, const std::string& conv,
                               const std::string& norm, int in, int out, int kernel, int stride) {
  return {take_conv_and_norm(checkpoint, conv, norm, {out, in, kernel, kernel}, kResNetBatchNormEps), stride};
}

ResNet::ResNet(const ResNetShape& shape, std::vector<int> layers, WeightsCheckpoint& checkpoint)
    : wanted_(std::move(layers)) {
  stem_ = take_conv(checkpoint, "conv1", "bn1", 3, kResNetStemChannels, 7, 2);
  int channels = kResNetStemChannels;
  const bool whole = checkpoint.has("fc.weight");
  for (int layer = 0; layer < (whole ? kLayers : wanted_.back() + 1); ++layer) {
    const int planes = kResNetStemChannels << layer;
    const int inner = shape.bottleneck ? planes * shape.width_of_64 / 64 : planes;
    const int out = shape.bottleneck ? 4 * planes : planes;
    for (int n = 0; n < shape.depths[layer]; ++n) {
      const std::string name = fmt::format("layer{}.{}.", layer + 1, n);
      const int stride = n == 0 && layer > 0 ? 2 : 1;
      const auto conv = [&](int number, int from, int to, int kernel, int by) {
        return take_conv(checkpoint, fmt::format("{}conv{}", name, number),
                         fmt::format("{}bn{}", name, number), from, to, kernel, by);
      };
      Block block;
      if (shape.bottleneck)
        block.convs = {conv(1, channels, inner, 1, 1), conv(2, inner, inner, 3, stride),
                       conv(3, inner, out, 1, 1)};
      else
        block.convs = {conv(1, channels, inner, 3, stride), conv(2, inner, out, 3, 1)};
      if (stride != 1 || channels != out)
        block.shortcut =
            take_conv(checkpoint, name + "downsample.0", name + "downsample.1", channels, out, 1, stride);
      layers_[layer].push_back(std::move(block));
      channels = out;
    }
  }
  if (whole) {
    classifier_weight_ = checkpoint.take("fc.weight", {kResNetClasses, channels});
    classifier_bias_ = checkpoint.take("fc.bias", {kResNetClasses});
  }
  checkpoint.require_empty();
}

std::vector<int> ResNet::strides_px() const {
  std::vector<int> strides;
  for (const int layer : wanted_) strides.push_back(4 << layer);
  return strides;
}

std::vector<at::Tensor> ResNet::maps(const at::Tensor& images, int count) const {
  at::Tensor x = stem_(images.contiguous(at::MemoryFormat::ChannelsLast)).relu_();
  x = at::max_pool2d(x, {3, 3}, {2, 2}, {1, 1});
  std::vector<at::Tensor> maps;
  for (int layer = 0; layer < count; ++layer) {
    for (const Block& block : layers_[layer]) {
      at::Tensor inner = x;
      for (std::size_t n = 0; n + 1 < block.convs.size(); ++n) inner = block.convs[n](inner).relu_();
      x = block.convs.back()(inner).add_(block.shortcut ? (*block.shortcut)(x) : x).relu_();
    }
    maps.push_back(x);
  }
  return maps;
}

std::vector<std::size_t> ResNet::write(GraphWriter& to, std::size_t images) const {
  GraphWriter::Value x = to.max_pool(to.relu(stem_.write(to, images)));
  std::vector<std::size_t> layers;
  for (int layer = 0; layer <= wanted_.back(); ++layer) {
    for (const Block& block : layers_[layer]) {
      GraphWriter::Value inner = x;
      for (std::size_t n = 0; n + 1 < block.convs.size(); ++n)
        inner = to.relu(block.convs[n].write(to, inner));
      inner = block.convs.back().write(to, inner);
      x = to.relu(to.add(inner, block.shortcut ? block.shortcut->write(to, x) : x));
    }
    if (std::ranges::find(wanted_, layer) != wanted_.end()) layers.push_back(x);
  }
  return layers;
}

std::vector<LayerOutput> ResNet::forward(const at::Tensor& images) const {
  const std::vector<at::Tensor> all = maps(images, wanted_.back() + 1);
  std::vector<LayerOutput> outputs;
  for (const int layer : wanted_) outputs.push_back({all[layer], all[layer].mean({2, 3})});
  return outputs;
}

at::Tensor ResNet::logits(const at::Tensor& images) const {
  const at::Tensor features = maps(images, kLayers).back();
  return at::linear(features.mean({2, 3}), classifier_weight_, classifier_bias_);
}

}  // namespace imatch
