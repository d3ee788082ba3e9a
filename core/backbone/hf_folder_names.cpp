// SPDX-License-Identifier: Apache-2.0
#include "backbone/hf_folder_names.h"

#include <span>

namespace imatch {
namespace {

/// Part of a name and what stands in its place. What begins with a dot is looked for after the first place,
/// anything else only at the front.
struct Replacement {
  std::string_view official;
  std::string_view hf;
};

constexpr Replacement kDinov2[] = {
    {"cls_token", "embeddings.cls_token"},
    {"mask_token", "embeddings.mask_token"},
    {"register_tokens", "embeddings.register_tokens"},
    {"pos_embed", "embeddings.position_embeddings"},
    {"patch_embed.proj.", "embeddings.patch_embeddings.projection."},
    {"blocks.", "encoder.layer."},
    {"norm.", "layernorm."},
    {".attn.q.", ".attention.attention.query."},
    {".attn.k.", ".attention.attention.key."},
    {".attn.v.", ".attention.attention.value."},
    {".attn.proj.", ".attention.output.dense."},
    {".ls1.gamma", ".layer_scale1.lambda1"},
    {".ls2.gamma", ".layer_scale2.lambda1"},
    {".mlp.w12.", ".mlp.weights_in."},
    {".mlp.w3.", ".mlp.weights_out."},
};

constexpr Replacement kDinov3[] = {
    {"cls_token", "embeddings.cls_token"},
    {"mask_token", "embeddings.mask_token"},
    {"storage_tokens", "embeddings.register_tokens"},
    {"patch_embed.proj.", "embeddings.patch_embeddings."},
    {"blocks.", "layer."},
    {".attn.q.", ".attention.q_proj."},
    {".attn.k.", ".attention.k_proj."},
    {".attn.v.", ".attention.v_proj."},
    {".attn.proj.", ".attention.o_proj."},
    {".ls1.gamma", ".layer_scale1.lambda1"},
    {".ls2.gamma", ".layer_scale2.lambda1"},
    {".mlp.fc1.", ".mlp.up_proj."},
    {".mlp.fc2.", ".mlp.down_proj."},
    {".mlp.w1.", ".mlp.gate_proj."},
    {".mlp.w2.", ".mlp.up_proj."},
    {".mlp.w3.", ".mlp.down_proj."},
};

constexpr Replacement kConvNextInBlock[] = {
    {".dwconv.", ".depthwise_conv."},
    {".norm.", ".layer_norm."},
    {".pwconv1.", ".pointwise_conv1."},
    {".pwconv2.", ".pointwise_conv2."},
};

std::string replaced(std::string name, std::span<const Replacement> table) {
  for (const auto& [official, hf] : table) {
    const bool at_front = !official.starts_with('.');
    const std::size_t place = name.find(official);
    if (place != std::string::npos && (place == 0) == at_front) name.replace(place, official.size(), hf);
  }
  return name;
}

/// "stages.2.downsample_layers.1.bias" from "downsample_layers.2.1.bias".
std::string stage_first(std::string_view official) {
  constexpr std::string_view kDownsample = "downsample_layers.";
  const std::string_view stage = official.substr(kDownsample.size(), 1);
  const std::string_view rest = official.substr(kDownsample.size() + 1);
  return "stages." + std::string(stage) + ".downsample_layers" + std::string(rest);
}

}  // namespace

std::string hf_dinov2_name(std::string_view official) {
  return replaced(std::string(official), kDinov2);
}

std::string hf_dinov3_name(std::string_view official) {
  return replaced(std::string(official), kDinov3);
}

std::string hf_dinov3_convnext_name(std::string_view official) {
  if (official.starts_with("downsample_layers.")) return stage_first(official);
  if (!official.starts_with("stages.")) return "layer_" + std::string(official);  // norm
  std::string name = replaced(std::string(official), kConvNextInBlock);
  return name.insert(name.find('.', std::string_view("stages.").size()), ".layers");
}

}  // namespace imatch
