// SPDX-License-Identifier: Apache-2.0
// The forward pass of vision_transformer.cpp once more, for other programs to run.
#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include "nn/graph_writer.h"
#include "nn/vision_transformer.h"

namespace imatch {
namespace {

using Value = GraphWriter::Value;

Value linear(GraphWriter& to, Value x, const LinearLayer& layer) {
  return to.linear(x, layer.weight(), layer.bias());
}

/// RotaryPositions::rotated.
Value rotated(GraphWriter& to, Value heads, Value cos, Value sin, Value minus_sin, std::int64_t half) {
  const Value first = to.slice(heads, 3, 0, half), second = to.slice(heads, 3, half, 2 * half);
  return to.concat({to.add(to.multiply(first, cos), to.multiply(second, minus_sin)),
                    to.add(to.multiply(second, cos), to.multiply(first, sin))},
                   3);
}

}  // namespace

std::vector<std::size_t> VisionTransformer::write(GraphWriter& to, std::size_t images) const {
  const Value patches = to.conv(images, {.weight = patches_.weight,
                                         .bias = patches_.bias,
                                         .stride = shape_.patch_px,
                                         .padding = GraphWriter::Padding::kNone});
  const std::array<std::int64_t, 2> grid = to.grid(patches);
  const std::int64_t width = shape_.width, num_tokens = prefix() + grid[0] * grid[1];
  const auto normed = [&](Value x, const Affine& norm) {
    return to.layer_norm(x, norm.weight, norm.bias, shape_.norm_eps);
  };
  const auto map_of = [&](Value tokens) {
    return to.map_of_tokens(to.slice(tokens, 1, prefix(), num_tokens), grid);
  };

  // Class token and registers, and what is added to the patches.
  at::Tensor class_token = class_token_;
  Value x = to.tokens_of_map(patches);
  if (!rotary_.defined()) {
    const at::Tensor positions = learned_(grid[0], grid[1]);
    class_token = class_token + positions.narrow(1, 0, 1);
    x = to.add(x, to.constant(positions.narrow(1, 1, grid[0] * grid[1])));
  }
  std::vector<Value> parts{to.constant(class_token)};
  if (registers_.defined()) parts.push_back(to.constant(registers_));
  parts.push_back(x);
  x = to.concat(parts, 1);

  const std::int64_t half = width / shape_.heads / 2;
  Value cos = 0, sin = 0, minus_sin = 0;
  if (rotary_.defined()) {
    const RotaryPositions::Tables tables = rotary_.tables(grid[0], grid[1], prefix());
    const at::Tensor of_heads = tables.sin.view({1, 1, num_tokens, half});
    cos = to.constant(tables.cos.view({1, 1, num_tokens, half}));
    sin = to.constant(of_heads);
    minus_sin = to.constant(of_heads.neg());
  }

  std::vector<Value> layers;
  for (int n = 0; n <= wanted_.back(); ++n) {
    const Block& block = blocks_[n];
    const bool is_wanted = wanted_[layers.size()] == n;
    const Value normed1 = normed(x, block.norm1);
    std::array<Value, 3> qkv{};
    if (block.qkv.size() == 3) {
      for (std::size_t i = 0; i < 3; ++i) qkv[i] = linear(to, normed1, block.qkv[i]);
    } else {
      const Value all = linear(to, normed1, block.qkv[0]);
      for (std::int64_t i = 0; i < 3; ++i) qkv[i] = to.slice(all, 2, i * width, (i + 1) * width);
    }
    if (is_wanted && facet_ != Facet::kToken) {
      layers.push_back(map_of(qkv[facet_ == Facet::kQuery ? 0 : facet_ == Facet::kKey ? 1 : 2]));
      if (n == wanted_.back()) break;
    }
    std::array<Value, 3> heads{};
    for (std::size_t i = 0; i < 3; ++i) heads[i] = to.split_heads(qkv[i], shape_.heads);
    if (rotary_.defined())
      for (std::size_t i = 0; i < 2; ++i) heads[i] = rotated(to, heads[i], cos, sin, minus_sin, half);
    const Value attended = linear(to, to.attention(heads[0], heads[1], heads[2]), block.projection);
    x = to.add(x, to.multiply(attended, to.constant(block.scale1)));

    const Value normed2 = normed(x, block.norm2);
    Value inner = 0;
    if (shape_.feed_forward == FeedForward::kGelu) {
      inner = to.gelu(linear(to, normed2, block.widen[0]));
    } else {
      const std::int64_t wide = shape_.feed_forward_width;
      const bool fused = shape_.feed_forward == FeedForward::kFusedSwiGlu;
      const Value first = linear(to, normed2, block.widen[0]);
      const Value gate = fused ? to.slice(first, 2, 0, wide) : first;
      const Value value = fused ? to.slice(first, 2, wide, 2 * wide) : linear(to, normed2, block.widen[1]);
      inner = to.multiply(to.silu(gate), value);
    }
    x = to.add(x, to.multiply(linear(to, inner, block.narrow), to.constant(block.scale2)));
    if (is_wanted && facet_ == Facet::kToken) layers.push_back(map_of(normed(x, norm_)));
  }
  return layers;
}

}  // namespace imatch
