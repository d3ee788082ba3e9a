// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <vector>

#include "nn/attention.h"
#include "nn/linear_layer.h"
#include "nn/token_network.h"
#include "nn/vision_transformer_positions.h"
#include "nn/weights_checkpoint.h"

namespace imatch {

/// The part of a block behind the attention.
enum class FeedForward {
  kGelu,         ///< fc2(gelu(fc1 x)), with the exact GELU.
  kSwiGlu,       ///< w3(silu(w1 x) * (w2 x)).
  kFusedSwiGlu,  ///< The same with w1 and w2 in one matrix, w12.
};

enum class PositionScheme { kLearned, kRotary };

/// Everything that tells one vision transformer of DINOv2 and DINOv3 from another.
struct VisionTransformerShape {
  int width = 384;
  int depth = 12;  ///< Blocks.
  int heads = 6;
  FeedForward feed_forward = FeedForward::kGelu;
  int feed_forward_width = 1536;
  bool qkv_bias = true;
  int patch_px = 14;
  int registers = 0;  ///< Tokens between the class token and the patches: registers, or storage in DINOv3.
  PositionScheme positions = PositionScheme::kLearned;
  double norm_eps = 1e-6;
};

/// In what the same weights are used differently by the repositories that published them and by transformers.
struct VisionTransformerRules {
  GridResampling resampling = GridResampling::kOffset;
  /// Base of the formula for the periods of the rotary embedding; 0: they are read from the checkpoint.
  double rotary_base = 0;
  /// Query, key and value are projected by three matrices (transformers) instead of one; DINOv3's keys then
  /// have no bias.
  bool split_qkv = false;
};

/// What tokens are taken from: the output of a block, or the vectors of its attention as they are projected,
/// before the rotary embedding, all heads one after another.
enum class Facet { kToken, kKey, kQuery, kValue };

/// The vision transformer of DINOv2 (Oquab et al., 2023; with registers: Darcet et al., 2023) and DINOv3
/// (Siméoni et al., 2025), after A. Dosovitskiy et al., "An image is worth 16x16 words", 2020: pre-norm
/// blocks with layer scale. With WeightsCheckpoint::Rounding::kInt8 the factors of attention are rounded to
/// bfloat16.
class VisionTransformer final : public TokenNetwork {
 public:
  /// `layers`: 0-based and ascending blocks whose tokens are wanted; those behind the last one are checked
  /// but neither kept nor run. The final norm is applied to each of them, as get_intermediate_layers of the
  /// repositories does; facets other than kToken have no norm. The global vector is the class token of that
  /// block behind the norm, for every facet. Throws Failure as WeightsCheckpoint.
  VisionTransformer(const VisionTransformerShape& shape, const VisionTransformerRules& rules,
                    std::vector<int> layers, Facet facet, WeightsCheckpoint& checkpoint);

  InputSizeRule input_size() const override { return {.multiple_px = shape_.patch_px}; }
  std::vector<int> strides_px() const override { return std::vector(wanted_.size(), shape_.patch_px); }
  std::vector<LayerOutput> forward(const at::Tensor& images) const override;
  /// For the one size that `images` has: positions are written as they are for it.
  std::vector<std::size_t> write(GraphWriter& to, std::size_t images) const override;

 private:
  struct Affine {
    at::Tensor weight, bias;
  };
  struct Block {
    Affine norm1;
    std::vector<LinearLayer> qkv;  ///< One of three thirds, or query, key and value.
    LinearLayer projection;
    at::Tensor scale1;
    Affine norm2;
    std::vector<LinearLayer> widen;  ///< fc1, or w12, or w1 and w2.
    LinearLayer narrow;              ///< fc2 or w3.
    at::Tensor scale2;
  };
  using Heads = std::array<at::Tensor, 3>;  ///< Query, key, value: [N, tokens, width].

  Affine take_norm(WeightsCheckpoint& checkpoint, const std::string& name) const;
  std::vector<LinearLayer> take_qkv(WeightsCheckpoint& checkpoint, const std::string& name) const;
  Block take_block(WeightsCheckpoint& checkpoint, const std::string& name) const;

  at::Tensor normed(const at::Tensor& x, const Affine& norm) const;
  /// x += update * scale; returns the norm of that.
  at::Tensor add_and_norm(at::Tensor& x, const at::Tensor& update, const at::Tensor& scale,
                          const Affine& norm) const;
  /// Patches [N, rows * cols, width] without their positions.
  at::Tensor embedded_patches(const at::Tensor& images) const;
  /// Class token, registers and patches with their positions: [N, prefix + rows * cols, width].
  at::Tensor embedded(const at::Tensor& images, std::int64_t rows, std::int64_t cols) const;
  Heads heads(const Block& block, const at::Tensor& x) const;
  at::Tensor attention(const Heads& heads, const RotaryPositions::Tables& tables) const;
  at::Tensor feed_forward(const Block& block, const at::Tensor& x) const;
  std::int64_t prefix() const { return 1 + shape_.registers; }

  VisionTransformerShape shape_;
  VisionTransformerRules rules_;
  std::vector<int> wanted_;
  Facet facet_;
  AttentionFactors factors_;
  Affine patches_;
  at::Tensor
      patch_matrix_;  ///< Its weight as [width, padded] for fused::patch_rows; undefined: the convolution.
  at::Tensor class_token_;
  at::Tensor registers_;
  LearnedPositions learned_;
  RotaryPositions rotary_;
  std::vector<Block> blocks_;
  Affine norm_;
};

}  // namespace imatch
