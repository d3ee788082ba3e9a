// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "anomaly/memory_bank.h"
#include "anomaly/model.h"
#include "anomaly/view.h"
#include "backbone/backbone.h"

namespace imatch {

/// A picture as the network gets it.
struct AnomalyInputs {
  bool found = true;             ///< False: the region is not there, and there are no views.
  double correlation = 1;        ///< Of the region.
  PixelRect rect;                ///< What of the picture is inspected.
  std::vector<PixelRect> views;  ///< Of `rect`, in its frame.
  at::Tensor tensor;             ///< [views, 3, H, W] float32.
};

/// All but the tensor.
AnomalyInputs anomaly_views(const Image& image, const AnomalyModelConfig& config,
                            const std::optional<InspectedRegion>& region);
AnomalyInputs anomaly_inputs(const Image& image, const AnomalyModelConfig& config,
                             const std::optional<InspectedRegion>& region, const Normalization& by);

/// What a model says of one picture. Distances are raw.
struct ImageScore {
  bool found = true;  ///< False: the region is not there; of the rest only `correlation` is set.
  double correlation = 1;
  PixelRect rect;   ///< What of the picture the map is of.
  float score = 0;  ///< Largest of all tiles.
  at::Tensor map;   ///< [h, w] float32: of the network's input size, with tiles of the size of `rect`.
  double inference_ms = 0;  ///< What the exported graph took for all views; 0 where LibTorch computed.
};

/// Joins what the views of a picture scored: `scores` [V], `maps` [V, 1, H, W].
ImageScore joined_score(const AnomalyInputs& inputs, const at::Tensor& scores, const at::Tensor& maps);

/// Of a picture without the region.
ImageScore region_missing(double correlation);

/// The network of a model. Throws Error for a backbone without one, Failure as open_backbone.
std::shared_ptr<const Backbone> open_anomaly_backbone(const std::string& spec, const std::string& device);

/// Patches of inputs [N, 3, H, W], as patch_features; on the network's device.
at::Tensor anomaly_features(const Backbone& backbone, const at::Tensor& inputs,
                            const PatchCoreMethod& method);

const Normalization& anomaly_normalization(const Backbone& backbone);

/// A model with its network, by LibTorch. Immutable; calls may come from several threads.
class AnomalyScorer {
 public:
  /// `search` as of MemoryBank. Throws Failure (bad_weights) when the weights are others than those trained
  /// with.
  AnomalyScorer(const AnomalyModel& model, std::shared_ptr<const Backbone> backbone,
                const std::string& search = "exact");

  ImageScore score(const Image& image) const;
  AnomalyInputs inputs(const Image& image) const;
  /// Patches of each view of a picture, [V, D, h, w] float32 on the CPU; no views where the region is not
  /// there.
  at::Tensor features(const Image& image) const;
  /// Of inputs [N, 3, H, W]: scores [N] and maps [N, 1, H, W] float32 on the CPU.
  std::pair<at::Tensor, at::Tensor> score_inputs(const at::Tensor& inputs) const;

  const AnomalyModelConfig& config() const { return config_; }
  const std::optional<InspectedRegion>& region() const { return region_; }

 private:
  AnomalyModelConfig config_;
  std::optional<InspectedRegion> region_;
  std::shared_ptr<const Backbone> backbone_;
  MemoryBank bank_;
};

}  // namespace imatch
