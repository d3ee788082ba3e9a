// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <vector>

#include "nn/linear_layer.h"
#include "nn/token_network.h"
#include "nn/weights_checkpoint.h"

namespace imatch {

struct ConvNextShape {
  std::array<int, 4> depths{3, 3, 9, 3};
  std::array<int, 4> widths{96, 192, 384, 768};
  double norm_eps = 1e-6;
};

/// ConvNeXt as DINOv3 distilled it (Z. Liu et al., "A ConvNet for the 2020s", 2022; Siméoni et al., 2025):
/// a layer is the map of a stage, its global vector the mean of that. Both go through the final norm at the
/// last stage and through none before. Not local: the kernels of the last stages see more than a thousand
/// pixels.
class ConvNext final : public TokenNetwork {
 public:
  /// `stages`: 0-based and ascending, of stride 4, 8, 16 and 32 px; those behind the last one are checked but
  /// neither kept nor run. Throws Failure as WeightsCheckpoint.
  ConvNext(const ConvNextShape& shape, std::vector<int> stages, WeightsCheckpoint& checkpoint);

  InputSizeRule input_size() const override;
  std::vector<int> strides_px() const override;
  std::vector<LayerOutput> forward(const at::Tensor& images) const override;
  std::vector<std::size_t> write(GraphWriter& to, std::size_t images) const override;

 private:
  struct Affine {
    at::Tensor weight, bias;
  };
  struct Block {
    Affine depthwise, norm;
    LinearLayer widen, narrow;
    at::Tensor scale;
  };
  struct Stage {
    Affine conv, norm;  ///< Before the blocks; the norm comes second in the first stage, first in the others.
    std::vector<Block> blocks;
  };

  Stage take_stage(WeightsCheckpoint& checkpoint, int number) const;
  at::Tensor normed(const at::Tensor& map, const Affine& norm) const;
  at::Tensor downsampled(const at::Tensor& map, const Stage& stage, bool first) const;
  void run(const Block& block, at::Tensor& map) const;
  LayerOutput output(const at::Tensor& map, bool is_last_stage) const;

  ConvNextShape shape_;
  std::vector<int> wanted_;
  std::vector<Stage> stages_;
  Affine norm_;  ///< Undefined before the last stage.
};

}  // namespace imatch
