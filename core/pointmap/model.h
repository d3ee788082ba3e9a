// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <tuple>

#include "base/field.h"
#include "nn/dual_point_map.h"
#include "pointmap/input.h"
#include "pointmap/points.h"

namespace imatch {

struct PointMapModelOptions {
  int resolution = 0;
  std::string device = "auto";
  PointMapFeatureOptions features;

  using Self = PointMapModelOptions;
  static constexpr auto fields = std::tuple{
      field("resolution", &Self::resolution, in_range(0, 4096), "Side of what goes in, px; 0: as trained."),
      field("device", &Self::device, anything(), "'cpu', 'cuda', 'cuda:N' or 'auto'."),
      field("features", &Self::features, anything(),
            "For a checkpoint that does not say what it was trained on.")};
};

/// A trained network with what makes its input. Calls may come from several threads.
class PointMapModel {
 public:
  /// Throws Failure as read_checkpoint and WeightsCheckpoint.
  explicit PointMapModel(const std::string& checkpoint, const PointMapModelOptions& options = {});

  /// Features and mask of a picture and, where there is one, its mask; `path` is what PointMapFeatures::load
  /// takes.
  PointMapInput input(const std::string& path, const std::string& mask_path) const;
  /// [C, R, R] -> [8 layers, R, R] float32 on the CPU. Throws Error for other channels.
  at::Tensor predict(const at::Tensor& features) const;
  PointMapPoints points(const at::Tensor& prediction, const at::Tensor& mask,
                        const PointMapPointOptions& options) const;

  const DualPointMapShape& shape() const { return network_->shape(); }
  const PointMapFeatureOptions& features() const { return features_->options(); }
  std::int64_t step() const { return step_; }

 private:
  std::unique_ptr<const DualPointMap> network_;
  std::unique_ptr<const PointMapFeatures> features_;
  c10::Device device_;
  std::int64_t step_ = 0;
};

}  // namespace imatch
