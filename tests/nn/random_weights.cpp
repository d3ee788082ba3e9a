// SPDX-License-Identifier: Apache-2.0
#include "nn/random_weights.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <fmt/format.h>

#include <cmath>

namespace imatch::testing {
namespace {

class Writer {
 public:
  void add(const std::string& name, at::Tensor tensor) { state_.add(name, std::move(tensor)); }
  void random(const std::string& name, const std::vector<std::int64_t>& shape, double mean, double spread) {
    add(name, at::randn(shape, generator_).mul(spread).add(mean));
  }
  /// Keeps the variance of what goes through it.
  void weight(const std::string& name, const std::vector<std::int64_t>& shape) {
    std::int64_t fan_in = 1;
    for (std::size_t i = 1; i < shape.size(); ++i) fan_in *= shape[i];
    random(name, shape, 0, 1 / std::sqrt(static_cast<double>(fan_in)));
  }
  void layer(const std::string& name, const std::vector<std::int64_t>& shape) {
    weight(name + ".weight", shape);
    random(name + ".bias", {shape[0]}, 0, 0.1);
  }
  void norm(const std::string& name, std::int64_t width) {
    random(name + ".weight", {width}, 1, 0.1);
    random(name + ".bias", {width}, 0, 0.1);
  }
  void batch_norm(const std::string& name, std::int64_t width) {
    norm(name, width);
    random(name + ".running_mean", {width}, 0, 0.1);
    add(name + ".running_var", at::rand({width}, generator_).add(0.5));
  }
  void conv_and_norm(const std::string& conv, const std::string& norm,
                     const std::vector<std::int64_t>& shape) {
    weight(conv + ".weight", shape);
    batch_norm(norm, shape[0]);
  }
  StateDict take() { return std::move(state_); }

 private:
  at::Generator generator_ = at::make_generator<at::CPUGeneratorImpl>(11);
  StateDict state_;
};

}  // namespace

StateDict random_weights(const VisionTransformerShape& shape) {
  Writer w;
  const std::int64_t width = shape.width, wide = shape.feed_forward_width;
  const bool rotary = shape.positions == PositionScheme::kRotary;
  w.layer("patch_embed.proj", {width, 3, shape.patch_px, shape.patch_px});
  w.random("cls_token", {1, 1, width}, 0, 1);
  if (shape.registers > 0)
    w.random(rotary ? "storage_tokens" : "register_tokens", {1, shape.registers, width}, 0, 1);
  if (rotary)
    w.add("rope_embed.periods", rotary_periods(width / shape.heads, 100));
  else
    w.random("pos_embed", {1, 1 + 37 * 37, width}, 0, 0.5);
  for (int n = 0; n < shape.depth; ++n) {
    const std::string block = fmt::format("blocks.{}.", n);
    w.norm(block + "norm1", width);
    w.weight(block + "attn.qkv.weight", {3 * width, width});
    if (shape.qkv_bias) {
      w.random(block + "attn.qkv.bias", {3 * width}, 0, 0.1);
      if (rotary) w.add(block + "attn.qkv.bias_mask", at::ones({3 * width}));
    }
    w.layer(block + "attn.proj", {width, width});
    w.random(block + "ls1.gamma", {width}, 0.5, 0.2);
    w.norm(block + "norm2", width);
    switch (shape.feed_forward) {
      case FeedForward::kGelu:
        w.layer(block + "mlp.fc1", {wide, width});
        w.layer(block + "mlp.fc2", {width, wide});
        break;
      case FeedForward::kSwiGlu:
        w.layer(block + "mlp.w1", {wide, width});
        w.layer(block + "mlp.w2", {wide, width});
        w.layer(block + "mlp.w3", {width, wide});
        break;
      case FeedForward::kFusedSwiGlu:
        w.layer(block + "mlp.w12", {2 * wide, width});
        w.layer(block + "mlp.w3", {width, wide});
        break;
    }
    w.random(block + "ls2.gamma", {width}, 0.5, 0.2);
  }
  w.norm("norm", width);
  return w.take();
}

StateDict random_weights(const ConvNextShape& shape) {
  Writer w;
  for (int stage = 0; stage < 4; ++stage) {
    const std::int64_t width = shape.widths[stage], below = stage == 0 ? 3 : shape.widths[stage - 1];
    const std::string before = fmt::format("downsample_layers.{}.", stage);
    const std::int64_t kernel = stage == 0 ? 4 : 2;
    w.layer(before + (stage == 0 ? "0" : "1"), {width, below, kernel, kernel});
    w.norm(before + (stage == 0 ? "1" : "0"), stage == 0 ? width : below);
    for (int n = 0; n < shape.depths[stage]; ++n) {
      const std::string block = fmt::format("stages.{}.{}.", stage, n);
      w.layer(block + "dwconv", {width, 1, 7, 7});
      w.norm(block + "norm", width);
      w.layer(block + "pwconv1", {4 * width, width});
      w.layer(block + "pwconv2", {width, 4 * width});
      w.random(block + "gamma", {width}, 0.5, 0.2);
    }
  }
  w.norm("norm", shape.widths.back());
  return w.take();
}

StateDict random_weights(const ResNetShape& shape) {
  Writer w;
  w.conv_and_norm("conv1", "bn1", {64, 3, 7, 7});
  std::int64_t channels = 64;
  for (int layer = 0; layer < ResNet::kLayers; ++layer) {
    const std::int64_t planes = std::int64_t{64} << layer;
    const std::int64_t inner = shape.bottleneck ? planes * shape.width_of_64 / 64 : planes;
    const std::int64_t out = shape.bottleneck ? 4 * planes : planes;
    for (int n = 0; n < shape.depths[layer]; ++n) {
      const std::string block = fmt::format("layer{}.{}.", layer + 1, n);
      const auto conv = [&](int number, const std::vector<std::int64_t>& weight) {
        w.conv_and_norm(fmt::format("{}conv{}", block, number), fmt::format("{}bn{}", block, number), weight);
      };
      if (shape.bottleneck) {
        conv(1, {inner, channels, 1, 1});
        conv(2, {inner, inner, 3, 3});
        conv(3, {out, inner, 1, 1});
      } else {
        conv(1, {inner, channels, 3, 3});
        conv(2, {out, inner, 3, 3});
      }
      if (n == 0 && (layer > 0 || channels != out))
        w.conv_and_norm(block + "downsample.0", block + "downsample.1", {out, channels, 1, 1});
      channels = out;
    }
  }
  w.layer("fc", {1000, channels});
  return w.take();
}

StateDict random_efficientnet_lite0_weights() {
  struct Group {
    int repeats, kernel, expansion, channels;
  };
  constexpr Group kGroups[] = {{1, 3, 1, 16},  {2, 3, 6, 24},  {2, 5, 6, 40}, {3, 3, 6, 80},
                               {3, 5, 6, 112}, {4, 5, 6, 192}, {1, 3, 6, 320}};
  Writer w;
  w.conv_and_norm("_conv_stem", "_bn0", {32, 3, 3, 3});
  std::int64_t channels = 32;
  int n = 0;
  for (const Group& group : kGroups)
    for (int repeat = 0; repeat < group.repeats; ++repeat, ++n) {
      const std::string block = fmt::format("_blocks.{}.", n);
      const std::int64_t wide = channels * group.expansion;
      if (group.expansion != 1)
        w.conv_and_norm(block + "_expand_conv", block + "_bn0", {wide, channels, 1, 1});
      w.conv_and_norm(block + "_depthwise_conv", block + "_bn1", {wide, 1, group.kernel, group.kernel});
      w.conv_and_norm(block + "_project_conv", block + "_bn2", {group.channels, wide, 1, 1});
      channels = group.channels;
    }
  w.conv_and_norm("_conv_head", "_bn1", {1280, channels, 1, 1});
  w.layer("_fc", {1000, 1280});
  return w.take();
}

}  // namespace imatch::testing
