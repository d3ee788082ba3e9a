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
/// patch tokens are the map of a stage, the class token is their mean. Both go through the final norm at the
/// last stage and through none before.
class ConvNext final : public TokenNetwork {
 public:
  /// `stage`: 0-based stage whose tokens are wanted, of stride 4, 8, 16 or 32 px; later ones are checked but
  /// neither kept nor run. Throws Failure as WeightsCheckpoint.
  ConvNext(const ConvNextShape& shape, int stage, WeightsCheckpoint& checkpoint);

  TokenGrid forward(const at::Tensor& images) const override;
  int stride() const override { return 4 << stage_; }

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

  ConvNextShape shape_;
  int stage_;
  std::vector<Stage> stages_;
  Affine norm_;  ///< Undefined before the last stage.
};

}  // namespace imatch
