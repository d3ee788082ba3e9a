// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <tuple>

#include "base/field.h"
#include "nn/dual_point_map.h"
#include "pointmap/input.h"

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

struct PointMapPointOptions {
  double occupancy = 0.5;
  double confidence = 2;

  using Self = PointMapPointOptions;
  static constexpr auto fields = std::tuple{
      field("occupancy", &Self::occupancy, in_range(0, 1),
            "A layer is there where its occupancy exceeds this."),
      field("confidence", &Self::confidence, at_least(0),
            "Points below it are dropped. It is always above 1, so that a limit below 1 drops none.")};
};

/// Points in space, layer by layer, each in row-major order.
struct PointMapPoints {
  at::Tensor canonical, posed;  ///< [N, 3] float32.
  at::Tensor confidence;        ///< [N] float32.
  at::Tensor layer;             ///< [N] int64, from 0.
  at::Tensor pixel;             ///< [N, 2] int64: row, column.
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

/// What a target says of these: its occupied pixels in the same order; confidence is 1.
PointMapPoints points_of_target(const at::Tensor& target);

}  // namespace imatch
