// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "nn/int8_residual.h"
#include "nn/same_conv.h"
#include "nn/token_network.h"
#include "nn/weights_checkpoint.h"

namespace imatch {

/// By what the channels and repeats of lite0's blocks are multiplied.
struct EfficientNetLiteShape {
  double width = 1;
  double depth = 1;
};

/// EfficientNet-Lite: EfficientNet (M. Tan and Q. Le, "EfficientNet: rethinking model scaling for
/// convolutional neural networks", 2019) without squeeze-and-excitation and with ReLU6, as in TensorFlow's
/// models/official/efficientnet/lite. Batch normalisation (eps 1e-3) is folded into the convolutions. Padding
/// is TensorFlow's SAME for the size at hand, so that images of any size go in; for the fixed size a
/// checkpoint was trained with, this is what its static padding does.
///
/// With WeightsCheckpoint::Rounding::kInt8 the blocks run in 8 bits, but for the first, whose few channels
/// hold all that the others see (in 8 bits it would take as much from the tokens as all others together), and
/// stem, head and classifier: those stay in float32.
///
/// Inputs are RGB normalised to (level - 127) / 128. A layer is the output of the last block of a stride, a
/// linear bottleneck, channels last, without a global vector.
class EfficientNetLite final : public TokenNetwork, public Classifier {
 public:
  /// Tensors by their names in checkpoints of the efficientnet_lite_pytorch package
  /// ("_blocks.3._bn0.weight"). `strides_px`: the wanted layers, ascending, of 2, 4, 8, 16 and 32. Throws
  /// Failure as WeightsCheckpoint.
  EfficientNetLite(const EfficientNetLiteShape& shape, std::vector<int> strides_px,
                   WeightsCheckpoint& checkpoint);

  InputSizeRule input_size() const override { return {}; }
  std::vector<int> strides_px() const override { return strides_px_; }
  std::vector<LayerOutput> forward(const at::Tensor& images) const override;
  bool is_local() const override { return true; }
  std::vector<std::size_t> write(GraphWriter& to, std::size_t images) const override;
  const Classifier* classifier() const override { return this; }
  std::int64_t classes() const override { return classifier_bias_.size(0); }
  at::Tensor logits(const at::Tensor& images) const override;

 private:
  struct Block {
    std::optional<SameConv> expand;
    SameConv depthwise;
    SameConv project;
    /// In 8 bits; the convolutions above then have the rounded weights, for write().
    std::optional<Int8Residual> int8;
    bool skip = false;
    int own_stride = 1, kernel = 1, wide = 1;  ///< Of the convolution of each channel.
    int stride = 1;                            ///< Of the block's output, in pixels of the input image.
  };

  /// Whether a wanted layer is the output of block n, when `found` of them have been met before.
  bool is_wanted(std::size_t n, std::size_t found) const;
  at::Tensor run(const Block& block, const at::Tensor& x) const;
  /// The same, a band of `rows` output rows after the other, so that what is expanded stays in a cache.
  at::Tensor run_in_bands(const Block& block, const at::Tensor& x, std::int64_t rows) const;

  std::vector<int> strides_px_;
  SameConv stem_;
  std::vector<Block> blocks_;
  SameConv head_;
  at::Tensor classifier_weight_;
  at::Tensor classifier_bias_;
};

}  // namespace imatch
