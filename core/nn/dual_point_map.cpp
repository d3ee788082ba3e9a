// SPDX-License-Identifier: Apache-2.0
#include "nn/dual_point_map.h"

#include <ATen/ops/cat.h>
#include <fmt/format.h>

namespace imatch {
namespace {

constexpr int kPoint = 3;

}  // namespace

UNetShape DualPointMapShape::first_stage() const {
  return {.in_channels = in_channels,
          .out_channels = kPoint,
          .resolution = resolution,
          .model_channels = model_channels,
          .multipliers = multipliers,
          .blocks = blocks,
          .attention_resolutions = attention_resolutions};
}

UNetShape DualPointMapShape::second_stage() const {
  UNetShape shape = first_stage();
  shape.in_channels = image_conditioning ? in_channels + kPoint : kPoint;
  shape.out_channels = out_channels() - kPoint;
  return shape;
}

StateDict DualPointMap::initial_weights(const DualPointMapShape& shape, at::Generator generator) {
  StateDict all;
  const auto add = [&](const char* prefix, const UNetShape& stage) {
    for (const auto& [name, tensor] : UNet::initial_weights(stage, generator)) all.add(prefix + name, tensor);
  };
  add(kDepthNet, shape.depth_first ? shape.first_stage() : shape.second_stage());
  add(kCanonicalNet, shape.depth_first ? shape.second_stage() : shape.first_stage());
  return all;
}

DualPointMap::DualPointMap(const DualPointMapShape& shape, WeightsCheckpoint& checkpoint) : shape_(shape) {
  depth_ = std::make_unique<UNet>(shape.depth_first ? shape.first_stage() : shape.second_stage(), kDepthNet,
                                  checkpoint);
  canonical_ = std::make_unique<UNet>(shape.depth_first ? shape.second_stage() : shape.first_stage(),
                                      kCanonicalNet, checkpoint);
  checkpoint.require_empty();
}

at::Tensor DualPointMap::operator()(const at::Tensor& features, double dropout) const {
  const UNet& first = shape_.depth_first ? *depth_ : *canonical_;
  const UNet& second = shape_.depth_first ? *canonical_ : *depth_;
  const at::Tensor map = first(features, dropout);
  const at::Tensor seen = shape_.image_conditioning ? at::cat({features, map.detach()}, 1) : map.detach();
  const at::Tensor rest = second(seen, dropout);
  if (!shape_.depth_first) return at::cat({map, rest}, 1);
  return at::cat({rest.narrow(1, 0, kPoint), map, rest.narrow(1, kPoint, rest.size(1) - kPoint)}, 1);
}

StateDict DualPointMap::weights() const {
  StateDict all;
  for (const UNet* net : {depth_.get(), canonical_.get()})
    for (const auto& [name, tensor] : net->weights()) all.add(name, tensor);
  return all;
}

}  // namespace imatch
