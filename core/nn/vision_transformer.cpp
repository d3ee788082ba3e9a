// SPDX-License-Identifier: Apache-2.0
#include "nn/vision_transformer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/linear.h>
#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "nn/fused.h"
#include "nn/gradients.h"

namespace imatch {
namespace {

/// Of the grid of positions of the published models.
constexpr std::int64_t kPublishedSide = 37;

/// The weights of the patch embedding as a matrix for patch rows. cuBLAS takes its fastest kernels where rows
/// are whole multiples of 16 bytes, which those of 14 px (588 values) are not.
at::Tensor matrix_of_patches(const at::Tensor& weight) {
  constexpr std::int64_t kMultiple = 8;
  const at::Tensor matrix = weight.flatten(1);
  const std::int64_t over = matrix.size(1) % kMultiple;
  return over == 0 ? matrix : at::constant_pad_nd(matrix, {0, kMultiple - over}, 0);
}

}  // namespace

VisionTransformer::VisionTransformer(const VisionTransformerShape& shape, const VisionTransformerRules& rules,
                                     std::vector<int> layers, Facet facet, WeightsCheckpoint& checkpoint)
    : shape_(shape),
      rules_(rules),
      wanted_(std::move(layers)),
      facet_(facet),
      factors_(checkpoint.rounding() == WeightsCheckpoint::Rounding::kInt8 ? AttentionFactors::kBfloat16
                                                                           : AttentionFactors::kExact) {
  const std::int64_t width = shape.width;
  patches_.weight = checkpoint.take("patch_embed.proj.weight", {width, 3, shape.patch_px, shape.patch_px});
  patches_.bias = checkpoint.take("patch_embed.proj.bias", {width});
  // A copy would not be trained with the weights.
  if (!patches_.weight.requires_grad() && fused::has_kernels(patches_.weight))
    patch_matrix_ = matrix_of_patches(patches_.weight);
  class_token_ = checkpoint.take("cls_token", {1, 1, width});
  const bool rotary = shape.positions == PositionScheme::kRotary;
  if (shape.registers > 0)
    registers_ = checkpoint.take(rotary ? "storage_tokens" : "register_tokens", {1, shape.registers, width});
  const std::int64_t head_width = width / shape.heads;
  if (!rotary) {
    const std::int64_t side = checkpoint.square_side("pos_embed", 1, kPublishedSide);
    learned_ = {checkpoint.take("pos_embed", {1, 1 + side * side, width}, at::kFloat), side,
                rules.resampling};
  } else if (rules.rotary_base > 0) {
    rotary_ = RotaryPositions(rotary_periods(head_width, rules.rotary_base).to(class_token_.device()));
  } else {
    rotary_ = RotaryPositions(checkpoint.read("rope_embed.periods", {head_width / 4}, at::kFloat));
  }
  for (int n = 0; n < shape.depth; ++n) {
    Block block = take_block(checkpoint, fmt::format("blocks.{}.", n));
    if (n <= wanted_.back()) blocks_.push_back(std::move(block));
  }
  norm_ = take_norm(checkpoint, "norm");
  for (const char* of_training : {"mask_token", "local_cls_norm.weight", "local_cls_norm.bias"})
    checkpoint.skip(of_training);
  checkpoint.require_empty();
}

VisionTransformer::Affine VisionTransformer::take_norm(WeightsCheckpoint& checkpoint,
                                                       const std::string& name) const {
  return {checkpoint.take(name + ".weight", {shape_.width}), checkpoint.take(name + ".bias", {shape_.width})};
}

std::vector<LinearLayer> VisionTransformer::take_qkv(WeightsCheckpoint& checkpoint,
                                                     const std::string& name) const {
  const int width = shape_.width;
  const bool rotary = shape_.positions == PositionScheme::kRotary;
  if (rules_.split_qkv)
    return {checkpoint.take_linear(name + "q", width, width, shape_.qkv_bias),
            checkpoint.take_linear(name + "k", width, width, shape_.qkv_bias && !rotary),
            checkpoint.take_linear(name + "v", width, width, shape_.qkv_bias)};
  at::Tensor bias;
  if (shape_.qkv_bias) {
    bias = checkpoint.read(name + "qkv.bias", {3 * width}, at::kFloat);
    if (rotary) bias = bias.mul(checkpoint.read(name + "qkv.bias_mask", {3 * width}, at::kFloat));
    bias = checkpoint.parameter(name + "qkv.bias", bias.to(checkpoint.dtype()));
  }
  return {checkpoint.take_linear_weight(name + "qkv", width, 3 * width, std::move(bias))};
}

VisionTransformer::Block VisionTransformer::take_block(WeightsCheckpoint& checkpoint,
                                                       const std::string& name) const {
  const int width = shape_.width;
  const int wide = shape_.feed_forward_width;
  Block block;
  block.norm1 = take_norm(checkpoint, name + "norm1");
  block.qkv = take_qkv(checkpoint, name + "attn.");
  block.projection = checkpoint.take_linear(name + "attn.proj", width, width);
  block.scale1 = checkpoint.take(name + "ls1.gamma", {width});
  block.norm2 = take_norm(checkpoint, name + "norm2");
  switch (shape_.feed_forward) {
    case FeedForward::kGelu:
      block.widen = {checkpoint.take_linear(name + "mlp.fc1", width, wide)};
      break;
    case FeedForward::kSwiGlu:
      block.widen = {checkpoint.take_linear(name + "mlp.w1", width, wide),
                     checkpoint.take_linear(name + "mlp.w2", width, wide)};
      break;
    case FeedForward::kFusedSwiGlu:
      block.widen = {checkpoint.take_linear(name + "mlp.w12", width, 2 * wide)};
      break;
  }
  const bool gelu = shape_.feed_forward == FeedForward::kGelu;
  block.narrow = checkpoint.take_linear(name + (gelu ? "mlp.fc2" : "mlp.w3"), wide, width);
  block.scale2 = checkpoint.take(name + "ls2.gamma", {width});
  return block;
}

at::Tensor VisionTransformer::normed(const at::Tensor& x, const Affine& norm) const {
  return fused::layer_norm(x, norm.weight, norm.bias, shape_.norm_eps);
}

at::Tensor VisionTransformer::add_and_norm(at::Tensor& x, const at::Tensor& update, const at::Tensor& scale,
                                           const Affine& norm) const {
  return fused::residual_norm(x, update, scale, norm.weight, norm.bias, shape_.norm_eps);
}

at::Tensor VisionTransformer::embedded_patches(const at::Tensor& images) const {
  // cuDNN has no fast kernel for a convolution of such a stride; a product of patch rows is one for cuBLAS.
  if (patch_matrix_.defined() && fused::has_kernels(images))
    return at::linear(fused::patch_rows(images, shape_.patch_px, patch_matrix_.size(1)), patch_matrix_,
                      patches_.bias);
  return at::conv2d(images, patches_.weight, patches_.bias, {shape_.patch_px, shape_.patch_px})
      .flatten(2)
      .transpose(1, 2);
}

at::Tensor VisionTransformer::embedded(const at::Tensor& images, std::int64_t rows, std::int64_t cols) const {
  const std::int64_t n = images.size(0);
  const at::Tensor patches = embedded_patches(images);
  const auto of_each = [n](const at::Tensor& tokens) { return tokens.expand({n, -1, -1}); };
  if (rotary_.defined())
    return registers_.defined() ? at::cat({of_each(class_token_), of_each(registers_), patches}, 1)
                                : at::cat({of_each(class_token_), patches}, 1);
  const at::Tensor positions = learned_(rows, cols).to(images.scalar_type());
  at::Tensor x = at::cat({of_each(class_token_), patches}, 1).add_(positions);
  if (!registers_.defined()) return x;
  return at::cat({x.narrow(1, 0, 1), of_each(registers_), x.narrow(1, 1, rows * cols)}, 1);
}

VisionTransformer::Heads VisionTransformer::heads(const Block& block, const at::Tensor& x) const {
  if (block.qkv.size() == 3) return {block.qkv[0](x), block.qkv[1](x), block.qkv[2](x)};
  const std::vector<at::Tensor> thirds = block.qkv[0](x).chunk(3, 2);
  return {thirds[0], thirds[1], thirds[2]};
}

at::Tensor VisionTransformer::attention(const Heads& heads, const RotaryPositions::Tables& tables) const {
  const auto split = [&](const at::Tensor& all) {  // [N, tokens, width] -> [N, heads, tokens, head width]
    return all.unflatten(2, {shape_.heads, shape_.width / shape_.heads}).transpose(1, 2);
  };
  if (!rotary_.defined())
    return imatch::attention(split(heads[0]), split(heads[1]), split(heads[2]), factors_);
  const auto [query, key] = fused::rotated_heads(heads[0], heads[1], shape_.heads, tables.cos, tables.sin);
  return imatch::attention(query, key, split(heads[2]), factors_);
}

at::Tensor VisionTransformer::feed_forward(const Block& block, const at::Tensor& x) const {
  switch (shape_.feed_forward) {
    case FeedForward::kGelu:
      return block.narrow(block.widen[0].gelu(x));
    case FeedForward::kSwiGlu:
      return block.narrow(fused::swiglu(block.widen[0](x), block.widen[1](x)));
    case FeedForward::kFusedSwiGlu: {
      const std::vector<at::Tensor> gate_and_value = block.widen[0](x).chunk(2, 2);
      return block.narrow(fused::swiglu(gate_and_value[0], gate_and_value[1]));
    }
  }
  throw std::logic_error("feed_forward");
}

std::vector<LayerOutput> VisionTransformer::forward(const at::Tensor& images) const {
  const std::int64_t rows = images.size(2) / shape_.patch_px, cols = images.size(3) / shape_.patch_px;
  RotaryPositions::Tables tables;
  if (rotary_.defined()) tables = rotary_.tables(rows, cols, prefix());
  const auto map_of = [&](const at::Tensor& tokens) {
    return tokens.narrow(1, prefix(), rows * cols).transpose(1, 2).unflatten(2, {rows, cols});
  };

  std::vector<LayerOutput> outputs;
  at::Tensor x = embedded(images, rows, cols);
  at::Tensor normed_x = normed(x, blocks_.front().norm1);
  for (int n = 0; n <= wanted_.back(); ++n) {
    const Block& block = blocks_[n];
    const bool is_wanted = wanted_[outputs.size()] == n, is_last = n == wanted_.back();
    const Heads qkv = heads(block, normed_x);
    normed_x.reset();  // its memory is the next tensor's, and still in the cache
    LayerOutput output;
    if (is_wanted && facet_ != Facet::kToken)
      output.map = map_of(qkv[facet_ == Facet::kQuery ? 0 : facet_ == Facet::kKey ? 1 : 2]);
    const at::Tensor attended = attention(qkv, tables);
    normed_x = add_and_norm(x, block.projection(attended), block.scale1, block.norm2);
    // Each norm stands behind a residual connection, and goes through the tokens with it: the next block's,
    // or the final one.
    normed_x =
        add_and_norm(x, feed_forward(block, normed_x), block.scale2, is_last ? norm_ : blocks_[n + 1].norm1);
    if (!is_wanted) continue;
    const at::Tensor final_tokens = is_last ? normed_x : normed(x, norm_);
    if (facet_ == Facet::kToken) output.map = map_of(final_tokens);
    output.global = final_tokens.select(1, 0);
    output.mean_prenorm = x.mean(1, /*keepdim=*/false, at::kFloat);
    outputs.push_back(std::move(output));
  }
  return outputs;
}

}  // namespace imatch
