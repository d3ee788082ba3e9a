// SPDX-License-Identifier: Apache-2.0
#include "pointmap/model.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "base/device.h"
#include "base/error.h"
#include "image/decode.h"
#include "train/checkpoint.h"

namespace imatch {
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
  return points_of_prediction(prediction, mask, shape().layers, options);
}

}  // namespace imatch
