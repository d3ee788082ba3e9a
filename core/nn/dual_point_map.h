// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "io/state_dict.h"
#include "nn/unet.h"
#include "nn/weights_checkpoint.h"

namespace imatch {

/// What a dual point map network looks like. As it stands it is the published one: 70,075,040 parameters.
struct DualPointMapShape {
  int in_channels = 64;
  int resolution = 160;
  int model_channels = 128;
  std::vector<int> multipliers = {1, 2, 2, 2};
  int blocks = 2;
  std::vector<int> attention_resolutions = {16};
  int layers = 4;
  bool depth_first = false;         ///< The first stage makes posed points, the second one canonical points.
  bool image_conditioning = false;  ///< The second stage sees the image too, in front of the first one's map.
  bool confidence = true;           ///< One layer may do without it; several always have it.

  bool operator==(const DualPointMapShape&) const = default;
  /// Channels of the result: 8 a layer; one layer alone has no occupancy.
  int out_channels() const { return layers > 1 ? 8 * layers : confidence ? 7 : 6; }
  UNetShape first_stage() const;
  UNetShape second_stage() const;
};

/// Dual point maps (Kaye et al., "DualPM", CVPR 2025): of every pixel and each surface behind it the point in
/// the canonical pose and the point as posed before the camera. A first U-Net makes the canonical map of the
/// first layer, a second one all the rest from that map; no gradient goes from the second to the first.
class DualPointMap {
 public:
  static constexpr const char* kDepthNet = "nets.depth_encoder.";
  static constexpr const char* kCanonicalNet = "nets.canonical_encoder.";

  /// The weights of a new network under their official names, depth encoder first.
  static StateDict initial_weights(const DualPointMapShape& shape, at::Generator generator);
  /// The shape that weights of these names and sizes belong to. Throws Failure (bad_weights), beginning with
  /// `title`, when they are no such network's.
  static DualPointMapShape shape_of(const StateDict& weights, const std::string& title);
  /// The same weights under the names that they have at another resolution: names are by resolution, weights
  /// are not. Throws Error for a side that the levels cannot halve.
  static StateDict at_resolution(const StateDict& weights, int resolution, const std::string& title);

  /// Throws Failure as WeightsCheckpoint, Error as UNetShape::validate.
  DualPointMap(const DualPointMapShape& shape, WeightsCheckpoint& checkpoint);

  /// Features [N, C, H, W] -> [N, out_channels, H, W]: layer by layer, near to far, canonical xyz, posed xyz,
  /// logit of the occupancy, raw confidence (its exponential and 1 is the confidence). One layer alone:
  /// canonical, posed, raw confidence if there is one. `dropout` as for UNet.
  at::Tensor operator()(const at::Tensor& features, double dropout = 0) const;

  const DualPointMapShape& shape() const { return shape_; }
  /// All entries of the state_dict, constants included, in the official order. The tensors are the network's.
  StateDict weights() const;

 private:
  DualPointMapShape shape_;
  std::unique_ptr<const UNet> depth_, canonical_;
};

}  // namespace imatch
