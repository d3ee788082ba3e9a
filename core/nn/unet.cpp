// SPDX-License-Identifier: Apache-2.0
#include "nn/unet.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nn/group_norm.h"
#include "nn/unet_plan.h"

namespace imatch {
namespace {

constexpr double kUNetNormEps = 1e-6;
constexpr double kKeepVariance = 0.70710678118654752;  // the sum of two branches has twice the variance

at::Tensor normalised(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, bool silu) {
  return group_norm(x, std::min<std::int64_t>(32, x.size(1) / 4), weight, bias, kUNetNormEps, silu);
}

at::Tensor convolved(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const std::int64_t padding = weight.size(2) / 2;
  return at::conv2d(x, weight, bias, {1, 1}, {padding, padding});
}

/// Channel c of query, key and value are channels 3c, 3c + 1 and 3c + 2; one head, scale 1 / sqrt(C).
at::Tensor attended(const at::Tensor& qkv) {
  const std::int64_t n = qkv.size(0), channels = qkv.size(1) / 3, height = qkv.size(2), width = qkv.size(3);
  const at::Tensor parts = qkv.reshape({n, channels, 3, height * width});
  const auto part = [&](int i) { return parts.select(2, i).transpose(1, 2).unsqueeze(1).contiguous(); };
  return at::scaled_dot_product_attention(part(0), part(1), part(2))
      .squeeze(1)
      .transpose(1, 2)
      .reshape({n, channels, height, width});
}

at::Tensor initial_tensor(const UNetTensorPlan& plan, at::Generator generator) {
  switch (plan.fill) {
    case UNetTensorPlan::Fill::kZero:
      return at::zeros(plan.shape);
    case UNetTensorPlan::Fill::kOne:
      return at::ones(plan.shape);
    case UNetTensorPlan::Fill::kFilter:
      return at::full(plan.shape, 0.25);
    case UNetTensorPlan::Fill::kXavier:
      break;
  }
  const auto area = static_cast<double>(plan.shape[2] * plan.shape[3]);
  const double limit = std::sqrt(6 / (static_cast<double>(plan.shape[0] + plan.shape[1]) * area));
  return at::empty(plan.shape).uniform_(-limit, limit, std::move(generator)).mul_(plan.gain);
}

}  // namespace

StateDict UNet::initial_weights(const UNetShape& shape, at::Generator generator) {
  StateDict weights;
  for (const UNetTensorPlan& tensor : tensors_of(plan_of(shape), shape.out_channels))
    weights.add(tensor.name, initial_tensor(tensor, generator));
  return weights;
}

UNet::UNet(const UNetShape& shape, const std::string& prefix, WeightsCheckpoint& checkpoint) {
  const UNetPlan plan = plan_of(shape);
  for (const UNetTensorPlan& tensor : tensors_of(plan, shape.out_channels)) {
    const std::string name = prefix + tensor.name;
    if (tensor.fill == UNetTensorPlan::Fill::kFilter) {
      checkpoint.skip(name);  // a constant, which not every file has
      weights_.emplace_back(name, at::full(tensor.shape, 0.25));
    } else {
      weights_.emplace_back(name, checkpoint.take(name, tensor.shape));
    }
  }
  const auto found = [&](const std::string& name) {
    const auto tensor = [&](const char* part) {
      const auto entry = std::ranges::find(weights_, prefix + name + part, &StateDict::Entry::first);
      return entry == weights_.end() ? at::Tensor() : entry->second;
    };
    return Affine{tensor(".weight"), tensor(".bias")};
  };
  const auto opened = [&](const UNetBlockPlan& block) {
    using Kind = UNetBlockPlan::Kind;
    using Resample = Block::Resample;
    if (block.kind == Kind::kConv) return Block{.in = block.in, .conv0 = found(block.name), .plain = true};
    const auto part = [&](const char* name) { return found(block.name + name); };
    return Block{.resample = block.kind == Kind::kDown ? Resample::kDown
                             : block.kind == Kind::kUp ? Resample::kUp
                                                       : Resample::kNone,
                 .in = block.in,
                 .norm0 = part(".norm0"),
                 .conv0 = part(".conv0"),
                 .norm1 = part(".norm1"),
                 .conv1 = part(".conv1"),
                 .skip = part(".skip"),
                 .norm2 = part(".norm2"),
                 .qkv = part(".qkv"),
                 .proj = part(".proj")};
  };
  std::ranges::transform(plan.encoder, std::back_inserter(encoder_), opened);
  std::ranges::transform(plan.decoder, std::back_inserter(decoder_), opened);
  last_norm_ = found(plan.last_norm);
  last_conv_ = found(plan.last_conv);
}

at::Tensor UNet::apply(const Block& block, const at::Tensor& x, double dropout) {
  const auto conv = [](const at::Tensor& of, const Affine& by) { return convolved(of, by.weight, by.bias); };
  const auto norm = [](const at::Tensor& of, const Affine& by, bool silu) {
    return normalised(of, by.weight, by.bias, silu);
  };
  const auto resampled = [&](const at::Tensor& of) {
    if (block.resample == Block::Resample::kDown) return at::avg_pool2d(of, {2, 2});
    if (block.resample == Block::Resample::kUp)
      return at::upsample_nearest2d(of, {2 * of.size(2), 2 * of.size(3)});
    return of;
  };
  if (block.plain) return conv(x, block.conv0);
  at::Tensor inner = conv(resampled(norm(x, block.norm0, true)), block.conv0);
  inner = norm(inner, block.norm1, true);
  if (dropout > 0) inner = at::dropout(inner, dropout, true);
  inner = conv(inner, block.conv1);
  const at::Tensor around = block.skip.present() ? conv(resampled(x), block.skip) : x;
  const at::Tensor y = scaled_sum(inner, around, kKeepVariance);
  if (!block.qkv.present()) return y;
  return scaled_sum(conv(attended(conv(norm(y, block.norm2, false), block.qkv)), block.proj), y,
                    kKeepVariance);
}

at::Tensor UNet::operator()(at::Tensor x, double dropout) const {
  std::vector<at::Tensor> outputs;
  if (prefers_channels_last(x)) x = x.contiguous(at::MemoryFormat::ChannelsLast);
  for (const Block& block : encoder_) outputs.push_back(x = apply(block, x, dropout));
  for (const Block& block : decoder_) {
    if (x.size(1) != block.in) {
      x = at::cat({x, outputs.back()}, 1);
      outputs.pop_back();
    }
    x = apply(block, x, dropout);
  }
  return convolved(normalised(x, last_norm_.weight, last_norm_.bias, true), last_conv_.weight,
                   last_conv_.bias);
}

}  // namespace imatch
