// SPDX-License-Identifier: Apache-2.0
#include "pointmap/model.h"

#include <ATen/TensorIndexing.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/sigmoid.h>
#include <fmt/format.h>

#include "base/device.h"
#include "base/error.h"
#include "image/decode.h"
#include "train/checkpoint.h"

namespace imatch {
namespace {

/// Of maps [L, C, H, W] whose channels begin with canonical and posed points.
PointMapPoints points_where(const at::Tensor& kept, const at::Tensor& maps, const at::Tensor& confidence) {
  const at::Tensor places = at::nonzero(kept);
  const at::Tensor layer = places.select(1, 0), row = places.select(1, 1), column = places.select(1, 2);
  const at::Tensor rows = maps.permute({0, 2, 3, 1}).index({layer, row, column});
  return {.canonical = rows.narrow(1, 0, 3).contiguous(),
          .posed = rows.narrow(1, 3, 3).contiguous(),
          .confidence = confidence.index({layer, row, column}).contiguous(),
          .layer = layer.contiguous(),
          .pixel = places.narrow(1, 1, 2).contiguous()};
}

}  // namespace

PointMapModel::PointMapModel(const std::string& path, const PointMapModelOptions& options)
    : device_(resolve_device(options.device)) {
  const TrainingCheckpoint checkpoint = read_checkpoint(path);
  step_ = checkpoint.step;
  StateDict weights = checkpoint.model;
  if (options.resolution > 0) weights = DualPointMap::at_resolution(weights, options.resolution, path);
  const DualPointMapShape shape = DualPointMap::shape_of(weights, path);
  WeightsCheckpoint taken(path, weights, device_, at::kFloat);
  network_ = std::make_unique<DualPointMap>(shape, taken);
  if (checkpoint.config.is_object()) {
    features_ = std::make_unique<PointMapFeatures>(
        PointMapFeatures::restored(checkpoint.config, checkpoint.extra, path));
    return;
  }
  PointMapFeatureOptions kind = options.features;
  if (kind.kind == "auto") kind.kind = shape.in_channels == 3 ? "rgb" : "png";
  if (kind.kind == "backbone")
    throw Error("features: 'backbone' needs the axes that a checkpoint of ours has; this one has none");
  features_ = std::make_unique<PointMapFeatures>(kind);
}

PointMapInput PointMapModel::input(const std::string& path, const std::string& mask_path) const {
  const at::NoGradGuard no_gradients;
  return point_map_input(features_->load(path),
                         mask_path.empty() ? at::Tensor() : mask_of_picture(open_image(mask_path)),
                         shape().resolution);
}

at::Tensor PointMapModel::predict(const at::Tensor& features) const {
  if (features.dim() != 3 || features.size(0) != shape().in_channels)
    throw Error(fmt::format("point map: {} channels are not what the network takes; expected {}",
                            features.dim() == 3 ? features.size(0) : 0, shape().in_channels));
  const at::NoGradGuard no_gradients;
  return (*network_)(features.to(device_).unsqueeze(0)).squeeze(0).to(at::kCPU);
}

PointMapPoints PointMapModel::points(const at::Tensor& prediction, const at::Tensor& mask,
                                     const PointMapPointOptions& options) const {
  const at::Tensor maps = prediction.reshape({shape().layers, -1, prediction.size(1), prediction.size(2)});
  const bool several = shape().layers > 1;
  const at::Tensor occupancy = several ? at::sigmoid(maps.select(1, 6)) * mask : mask.unsqueeze(0);
  const at::Tensor confidence =
      several || shape().confidence ? at::exp(maps.select(1, several ? 7 : 6)) + 1 : at::ones_like(occupancy);
  at::Tensor kept = occupancy.gt(options.occupancy);
  if (several || shape().confidence) kept = kept & confidence.ge(options.confidence);
  return points_where(kept, maps, confidence);
}

PointMapPoints points_of_target(const at::Tensor& target) {
  const at::Tensor maps = target.reshape({-1, 7, target.size(1), target.size(2)});
  const at::Tensor occupancy = maps.select(1, 6);
  return points_where(occupancy.gt(0.5), maps, at::ones_like(occupancy));
}

}  // namespace imatch
