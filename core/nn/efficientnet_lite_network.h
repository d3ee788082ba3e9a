// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <optional>
#include <string>
#include <vector>

#include "io/state_dict.h"
#include "nn/same_conv.h"

namespace imatch {

/// EfficientNet-Lite0: EfficientNet-B0 (M. Tan and Q. Le, "EfficientNet: rethinking model scaling for
/// convolutional neural networks", 2019) without squeeze-and-excitation and with ReLU6, as in TensorFlow's
/// models/official/efficientnet/lite. Batch normalisation (eps 1e-3) is folded into the convolutions in
/// double precision. Padding is TensorFlow's SAME for the size at hand, so that images of any size go in; for
/// the fixed size a checkpoint was trained with, this is what its static padding does.
///
/// Immutable; calls may come from several threads. Inference only.
class EfficientNetLite0 {
 public:
  /// Tensors by their names in checkpoints of the efficientnet_lite_pytorch package
  /// ("_blocks.3._bn0.weight"). Throws Failure (bad_weights) naming a tensor that is missing, of the wrong
  /// shape, or not part of the network.
  EfficientNetLite0(const StateDict& weights, c10::Device device, c10::ScalarType dtype);

  /// The output of the last block with the given stride, a linear bottleneck: images [N, 3, H, W], RGB
  /// normalised to (level - 127) / 128, of the network's device and dtype -> [N, C, ceil(H / stride), ceil(W
  /// / stride)], channels last. stride 8: C = 40; 16: 112; 32: 320.
  at::Tensor stage(const at::Tensor& images, int stride) const;

  /// Scores of the 1000 ImageNet classes before softmax: [N, 3, H, W] -> [N, 1000].
  at::Tensor logits(const at::Tensor& images) const;

 private:
  struct Block {
    std::optional<SameConv> expand;
    SameConv depthwise;
    SameConv project;
    bool skip = false;
    int stride = 1;  ///< Of the block's output, in pixels of the input image.
  };
  SameConv stem_;
  std::vector<Block> blocks_;
  SameConv head_;
  at::Tensor classifier_weight_;
  at::Tensor classifier_bias_;
};

}  // namespace imatch
