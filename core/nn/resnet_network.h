// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "nn/weights_checkpoint.h"

namespace imatch {

struct ResNetShape {
  std::array<int, 4> depths{2, 2, 2, 2};
  bool bottleneck = false;
  int width_of_64 = 64;  ///< Inner width of a bottleneck where the plain network has 64: 128 for "wide".
};

/// Residual networks of K. He et al., "Deep residual learning for image recognition", 2016, with the stride
/// in the 3 x 3 convolution of a bottleneck, as torchvision and timm have them; wide: S. Zagoruyko and N.
/// Komodakis, "Wide residual networks", 2016. Batch normalisation (eps 1e-5) is folded into the convolutions
/// in double precision. Immutable; calls may come from several threads. Inference only.
class ResNet {
 public:
  static constexpr int kLayers = 4;

  /// Tensors by torchvision's names ("layer2.0.downsample.1.running_var"). Throws Failure as
  /// WeightsCheckpoint.
  ResNet(const ResNetShape& shape, WeightsCheckpoint& checkpoint);

  /// Outputs of layer1 ... layerN, N = `count`: images [N, 3, H, W] -> [N, C, ceil(H / s), ceil(W / s)] with
  /// s = 4, 8, 16, 32.
  std::vector<at::Tensor> layers(const at::Tensor& images, int count) const;

  /// Scores of the 1000 ImageNet classes before softmax: [N, 3, H, W] -> [N, 1000].
  at::Tensor logits(const at::Tensor& images) const;

 private:
  struct Conv {
    at::Tensor weight, bias;
    int stride = 1;
    at::Tensor operator()(const at::Tensor& x) const;
  };
  struct Block {
    std::vector<Conv> convs;
    std::optional<Conv> shortcut;
  };

  static Conv take_conv(WeightsCheckpoint& checkpoint, const std::string& conv, const std::string& norm,
                        int in, int out, int kernel, int stride);

  Conv stem_;
  std::array<std::vector<Block>, kLayers> layers_;
  at::Tensor classifier_weight_;
  at::Tensor classifier_bias_;
};

}  // namespace imatch
