// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "io/state_dict.h"
#include "nn/weights_checkpoint.h"

namespace imatch {

/// What a U-Net looks like.
struct UNetShape {
  int in_channels = 64;
  int out_channels = 3;
  int resolution = 160;  ///< Side of its input, px: a multiple of 2^(levels - 1). Blocks are named after it.
  int model_channels = 128;                     ///< Width of the first level; a multiple of 4.
  std::vector<int> multipliers = {1, 2, 2, 2};  ///< Width of each level, in model_channels.
  int blocks = 2;                               ///< Of each level.
  std::vector<int> attention_resolutions = {16};

  /// Throws Error, naming the value and what is allowed.
  void validate() const;
  int levels() const { return static_cast<int>(multipliers.size()); }
};

/// A U-Net of the DDPM++ kind without time embedding (Ho et al. 2020, Song et al. 2021): residual blocks with
/// group normalisation, means of 2 x 2 on the way down, repeated pixels on the way up, attention at the
/// lowest level and where the shape asks for it. Every output on the way down is joined on the way up.
class UNet {
 public:
  /// The weights of a new network, by name in their order, `resample_filter` included.
  static StateDict initial_weights(const UNetShape& shape, at::Generator generator);

  /// Takes the weights named `prefix` + name. Throws Error as UNetShape::validate, Failure as
  /// WeightsCheckpoint.
  UNet(const UNetShape& shape, const std::string& prefix, WeightsCheckpoint& checkpoint);

  /// [N, in, H, W] -> [N, out, H, W]; sides are multiples of 2^(levels - 1). `dropout`: the share of a
  /// block's inner values that LibTorch's generator sets to zero; 0 outside of training.
  at::Tensor operator()(at::Tensor x, double dropout) const;

  /// Names (with the prefix) and tensors in the order in which they were given.
  const std::vector<StateDict::Entry>& weights() const { return weights_; }

 private:
  struct Affine {
    at::Tensor weight, bias;
    bool present() const { return weight.defined(); }
  };
  struct Block {
    enum class Resample { kNone, kDown, kUp } resample = Resample::kNone;
    int in = 0;
    Affine norm0 = {}, conv0 = {}, norm1 = {}, conv1 = {}, skip = {}, norm2 = {}, qkv = {}, proj = {};
    bool plain = false;  ///< A convolution alone: conv0.
  };

  static at::Tensor apply(const Block& block, const at::Tensor& x, double dropout);

  std::vector<Block> encoder_, decoder_;
  Affine last_norm_, last_conv_;
  std::vector<StateDict::Entry> weights_;
};

}  // namespace imatch
