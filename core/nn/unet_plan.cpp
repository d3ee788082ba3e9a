// SPDX-License-Identifier: Apache-2.0
#include "nn/unet_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace imatch {
namespace {

using Kind = UNetBlockPlan::Kind;
using Fill = UNetTensorPlan::Fill;

constexpr double kNearZero = 1e-5;  // what a block adds is learned from nothing
constexpr double kLastGain = 0.2;

void add_norm(std::vector<UNetTensorPlan>& to, const std::string& name, int width) {
  to.push_back({name + ".weight", {width}, Fill::kOne});
  to.push_back({name + ".bias", {width}, Fill::kZero});
}

void add_conv(std::vector<UNetTensorPlan>& to, const std::string& name, int in, int out, int kernel,
              double gain, bool resamples = false) {
  to.push_back({name + ".weight", {out, in, kernel, kernel}, Fill::kXavier, gain});
  to.push_back({name + ".bias", {out}, Fill::kZero});
  if (resamples) to.push_back({name + ".resample_filter", {1, 1, 2, 2}, Fill::kFilter});
}

}  // namespace

void UNetShape::validate() const {
  if (multipliers.empty())
    throw Error("multipliers: an empty list is not allowed; expected one number a level");
  for (const int multiplier : multipliers)
    if (multiplier < 1)
      throw Error(fmt::format("multipliers: {} is not allowed; expected integers >= 1", multiplier));
  const int step = 1 << (levels() - 1);
  if (resolution < step || resolution % step != 0)
    throw Error(
        fmt::format("resolution: {} is not allowed; expected a multiple of {}, since there are {} levels",
                    resolution, step, levels()));
  if (in_channels < 1 || out_channels < 1 || blocks < 1)
    throw Error(
        fmt::format("U-Net: {} input channels, {} output channels and {} blocks are not allowed; "
                    "expected at least one of each",
                    in_channels, out_channels, blocks));
  // Groups are min(32, channels / 4), and joined widths are sums of two levels'.
  if (model_channels < 4 || model_channels % 4 != 0 || (model_channels > 128 && model_channels % 32 != 0))
    throw Error(
        fmt::format("model_channels: {} is not allowed; expected a multiple of 4, above 128 a multiple of 32",
                    model_channels));
}

UNetPlan plan_of(const UNetShape& shape) {
  shape.validate();
  UNetPlan plan;
  std::vector<int> joined;  // widths of the encoder's outputs
  const auto has_attention = [&](int resolution) {
    return std::ranges::find(shape.attention_resolutions, resolution) != shape.attention_resolutions.end();
  };
  const auto level_name = [&](const char* side, int level, const std::string& block) {
    const int resolution = shape.resolution >> level;
    return fmt::format("{}.{}x{}_{}", side, resolution, resolution, block);
  };
  const auto encode = [&](int level, const std::string& name, Kind kind, int in, int out, bool attention) {
    plan.encoder.push_back({level_name("enc", level, name), kind, in, out, attention});
    joined.push_back(out);
  };
  int width = shape.in_channels;
  for (int level = 0; level < shape.levels(); ++level) {
    const int wanted = shape.model_channels * shape.multipliers[level];
    if (level == 0) {
      encode(level, "conv", Kind::kConv, width, shape.model_channels, false);
      width = shape.model_channels;
    } else {
      encode(level, "down", Kind::kDown, width, width, false);
    }
    for (int n = 0; n < shape.blocks; ++n, width = wanted)
      encode(level, fmt::format("block{}", n), Kind::kBlock, width, wanted,
             has_attention(shape.resolution >> level));
  }
  const auto decode = [&](int level, const std::string& name, Kind kind, int in, int out, bool attention) {
    plan.decoder.push_back({level_name("dec", level, name), kind, in, out, attention});
  };
  for (int level = shape.levels() - 1; level >= 0; --level) {
    const int wanted = shape.model_channels * shape.multipliers[level];
    if (level == shape.levels() - 1) {
      decode(level, "in0", Kind::kBlock, width, width, true);
      decode(level, "in1", Kind::kBlock, width, width, false);
    } else {
      decode(level, "up", Kind::kUp, width, width, false);
    }
    for (int n = 0; n <= shape.blocks; ++n, width = wanted) {
      decode(level, fmt::format("block{}", n), Kind::kBlock, width + joined.back(), wanted,
             n == shape.blocks && has_attention(shape.resolution >> level));
      joined.pop_back();
    }
  }
  plan.last_norm = level_name("dec", 0, "aux_norm");
  plan.last_conv = level_name("dec", 0, "aux_conv");
  plan.last_width = width;
  return plan;
}

std::vector<UNetTensorPlan> tensors_of(const UNetBlockPlan& block) {
  std::vector<UNetTensorPlan> tensors;
  if (block.kind == Kind::kConv) {
    add_conv(tensors, block.name, block.in, block.out, 3, 1);
    return tensors;
  }
  add_norm(tensors, block.name + ".norm0", block.in);
  add_conv(tensors, block.name + ".conv0", block.in, block.out, 3, 1, block.resamples());
  add_norm(tensors, block.name + ".norm1", block.out);
  add_conv(tensors, block.name + ".conv1", block.out, block.out, 3, kNearZero);
  if (block.has_skip()) add_conv(tensors, block.name + ".skip", block.in, block.out, 1, 1, block.resamples());
  if (block.attention) {
    add_norm(tensors, block.name + ".norm2", block.out);
    add_conv(tensors, block.name + ".qkv", block.out, 3 * block.out, 1, std::sqrt(0.2));
    add_conv(tensors, block.name + ".proj", block.out, block.out, 1, kNearZero);
  }
  return tensors;
}

std::vector<UNetTensorPlan> tensors_of(const UNetPlan& plan, int out_channels) {
  std::vector<UNetTensorPlan> all;
  for (const auto* blocks : {&plan.encoder, &plan.decoder})
    for (const UNetBlockPlan& block : *blocks) std::ranges::move(tensors_of(block), std::back_inserter(all));
  add_norm(all, plan.last_norm, plan.last_width);
  add_conv(all, plan.last_conv, plan.last_width, out_channels, 3, kLastGain);
  return all;
}

}  // namespace imatch
