// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "nn/conv_weights.h"
#include "nn/graph_writer.h"
#include "nn/token_network.h"
#include "nn/weights_checkpoint.h"

namespace imatch {

struct ResNetShape {
  std::array<int, 4> depths{2, 2, 2, 2};
  bool bottleneck = false;
  int width_of_64 = 64;  ///< Inner width of a bottleneck where the plain network has 64: 128 for "wide".
};

/// Residual networks of K. He et al., "Deep residual learning for image recognition", 2016, with the stride
/// in the 3 x 3 convolution of a bottleneck, as torchvision and timm have them; wide: S. Zagoruyko and N.
/// Komodakis, "Wide residual networks", 2016. Batch normalisation (eps 1e-5) is folded into the convolutions.
/// Maps are channels last; the global vector of a layer is the mean of its map.
class ResNet final : public TokenNetwork, public Classifier {
 public:
  static constexpr int kLayers = 4;

  /// Tensors by torchvision's names ("layer2.0.downsample.1.running_var"). `layers`: 0-based and ascending
  /// ones of layer1 to layer4, of stride 4, 8, 16 and 32 px. A checkpoint without the classifier may end
  /// behind the last wanted layer, as timm's networks for features do. Throws Failure as WeightsCheckpoint.
  ResNet(const ResNetShape& shape, std::vector<int> layers, WeightsCheckpoint& checkpoint);

  InputSizeRule input_size() const override { return {}; }
  std::vector<int> strides_px() const override;
  std::vector<LayerOutput> forward(const at::Tensor& images) const override;
  bool is_local() const override { return true; }
  std::vector<std::size_t> write(GraphWriter& to, std::size_t images) const override;
  const Classifier* classifier() const override { return classifier_weight_.defined() ? this : nullptr; }
  std::int64_t classes() const override { return classifier_bias_.size(0); }
  at::Tensor logits(const at::Tensor& images) const override;

 private:
  struct Conv {
    ConvWeights weights;
    int stride = 1;
    at::Tensor operator()(const at::Tensor& x) const;
    GraphWriter::Value write(GraphWriter& to, GraphWriter::Value x) const;
  };
  struct Block {
    std::vector<Conv> convs;
    std::optional<Conv> shortcut;
  };

  static Conv take_conv(WeightsCheckpoint& checkpoint, const std::string& conv, const std::string& norm,
                        int in, int out, int kernel, int stride);
  /// The outputs of the first `count` layers.
  std::vector<at::Tensor> maps(const at::Tensor& images, int count) const;

  std::vector<int> wanted_;
  Conv stem_;
  std::array<std::vector<Block>, kLayers> layers_;
  at::Tensor classifier_weight_;
  at::Tensor classifier_bias_;
};

}  // namespace imatch
