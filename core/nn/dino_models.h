// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <variant>

#include "nn/convnext.h"
#include "nn/vision_transformer.h"

namespace imatch {

/// One published model of DINOv2 or DINOv3.
struct DinoModel {
  std::string_view alias;          ///< The name of the backbone.
  std::string_view hub;            ///< Its function in the repository's hubconf.py.
  std::string_view file;           ///< Official file of weights.
  std::string_view hf_folder;      ///< The model's name on Hugging Face, without "facebook/".
  std::string_view normalization;  ///< See image/normalize.h.
  std::variant<VisionTransformerShape, ConvNextShape> shape;

  bool is_convnext() const { return std::holds_alternative<ConvNextShape>(shape); }
};

namespace dino_table {

constexpr VisionTransformerShape small(FeedForward kind = FeedForward::kGelu) {
  return {.width = 384, .depth = 12, .heads = 6, .feed_forward = kind, .feed_forward_width = 1536};
}
constexpr VisionTransformerShape base() {
  return {.width = 768, .depth = 12, .heads = 12, .feed_forward_width = 3072};
}
constexpr VisionTransformerShape large(FeedForward kind = FeedForward::kGelu) {
  return {.width = 1024, .depth = 24, .heads = 16, .feed_forward = kind, .feed_forward_width = 4096};
}
constexpr VisionTransformerShape giant() {
  return {.width = 1536,
          .depth = 40,
          .heads = 24,
          .feed_forward = FeedForward::kFusedSwiGlu,
          .feed_forward_width = 4096};
}
constexpr VisionTransformerShape huge_plus() {
  return {.width = 1280,
          .depth = 32,
          .heads = 20,
          .feed_forward = FeedForward::kSwiGlu,
          .feed_forward_width = 5120};
}
constexpr VisionTransformerShape seven_billion() {
  return {.width = 4096,
          .depth = 40,
          .heads = 32,
          .feed_forward = FeedForward::kSwiGlu,
          .feed_forward_width = 8192,
          .qkv_bias = false};
}
constexpr VisionTransformerShape with_registers(VisionTransformerShape shape) {
  shape.registers = 4;
  return shape;
}
/// DINOv3's hub functions ask for "layernormbf16", whose eps is 1e-5.
constexpr VisionTransformerShape rotary(VisionTransformerShape shape) {
  shape = with_registers(shape);
  shape.patch_px = 16;
  shape.positions = PositionScheme::kRotary;
  shape.norm_eps = 1e-5;
  return shape;
}
constexpr ConvNextShape convnext(int third_depth, int width) {
  return {.depths = {3, 3, third_depth, 3}, .widths = {width, 2 * width, 4 * width, 8 * width}};
}

}  // namespace dino_table

inline constexpr DinoModel kDinoModels[] = {
    {"vits14", "dinov2_vits14", "dinov2_vits14_pretrain.pth", "dinov2-small", "imagenet",
     dino_table::small()},
    {"vitb14", "dinov2_vitb14", "dinov2_vitb14_pretrain.pth", "dinov2-base", "imagenet", dino_table::base()},
    {"vitl14", "dinov2_vitl14", "dinov2_vitl14_pretrain.pth", "dinov2-large", "imagenet",
     dino_table::large()},
    {"vitg14", "dinov2_vitg14", "dinov2_vitg14_pretrain.pth", "dinov2-giant", "imagenet",
     dino_table::giant()},
    {"vits14_reg", "dinov2_vits14_reg", "dinov2_vits14_reg4_pretrain.pth", "dinov2-with-registers-small",
     "imagenet", dino_table::with_registers(dino_table::small())},
    {"vitb14_reg", "dinov2_vitb14_reg", "dinov2_vitb14_reg4_pretrain.pth", "dinov2-with-registers-base",
     "imagenet", dino_table::with_registers(dino_table::base())},
    {"vitl14_reg", "dinov2_vitl14_reg", "dinov2_vitl14_reg4_pretrain.pth", "dinov2-with-registers-large",
     "imagenet", dino_table::with_registers(dino_table::large())},
    {"vitg14_reg", "dinov2_vitg14_reg", "dinov2_vitg14_reg4_pretrain.pth", "dinov2-with-registers-giant",
     "imagenet", dino_table::with_registers(dino_table::giant())},
    {"vits16", "dinov3_vits16", "dinov3_vits16_pretrain_lvd1689m-08c60483.pth",
     "dinov3-vits16-pretrain-lvd1689m", "imagenet", dino_table::rotary(dino_table::small())},
    {"vits16+", "dinov3_vits16plus", "dinov3_vits16plus_pretrain_lvd1689m-4057cbaa.pth",
     "dinov3-vits16plus-pretrain-lvd1689m", "imagenet",
     dino_table::rotary(dino_table::small(FeedForward::kSwiGlu))},
    {"vitb16", "dinov3_vitb16", "dinov3_vitb16_pretrain_lvd1689m-73cec8be.pth",
     "dinov3-vitb16-pretrain-lvd1689m", "imagenet", dino_table::rotary(dino_table::base())},
    {"vitl16", "dinov3_vitl16", "dinov3_vitl16_pretrain_lvd1689m-8aa4cbdd.pth",
     "dinov3-vitl16-pretrain-lvd1689m", "imagenet", dino_table::rotary(dino_table::large())},
    {"vitl16+", "dinov3_vitl16plus", "dinov3_vitl16plus_pretrain_lvd1689m-46503df0.pth",
     "dinov3-vitl16plus-pretrain-lvd1689m", "imagenet",
     dino_table::rotary(dino_table::large(FeedForward::kSwiGlu))},
    {"vith16+", "dinov3_vith16plus", "dinov3_vith16plus_pretrain_lvd1689m-7c1da9a5.pth",
     "dinov3-vith16plus-pretrain-lvd1689m", "imagenet", dino_table::rotary(dino_table::huge_plus())},
    {"vit7b16", "dinov3_vit7b16", "dinov3_vit7b16_pretrain_lvd1689m-a955f4ea.pth",
     "dinov3-vit7b16-pretrain-lvd1689m", "imagenet", dino_table::rotary(dino_table::seven_billion())},
    {"vitl16sat", "dinov3_vitl16", "dinov3_vitl16_pretrain_sat493m-eadcf0ff.pth",
     "dinov3-vitl16-pretrain-sat493m", "sat493m", dino_table::rotary(dino_table::large())},
    {"vit7b16sat", "dinov3_vit7b16", "dinov3_vit7b16_pretrain_sat493m-a6675841.pth",
     "dinov3-vit7b16-pretrain-sat493m", "sat493m", dino_table::rotary(dino_table::seven_billion())},
    {"cxTiny", "dinov3_convnext_tiny", "dinov3_convnext_tiny_pretrain_lvd1689m-21b726bb.pth",
     "dinov3-convnext-tiny-pretrain-lvd1689m", "imagenet", dino_table::convnext(9, 96)},
    {"cxSmall", "dinov3_convnext_small", "dinov3_convnext_small_pretrain_lvd1689m-296db49d.pth",
     "dinov3-convnext-small-pretrain-lvd1689m", "imagenet", dino_table::convnext(27, 96)},
    {"cxBase", "dinov3_convnext_base", "dinov3_convnext_base_pretrain_lvd1689m-801f2ba9.pth",
     "dinov3-convnext-base-pretrain-lvd1689m", "imagenet", dino_table::convnext(27, 128)},
    {"cxLarge", "dinov3_convnext_large", "dinov3_convnext_large_pretrain_lvd1689m-61fa432d.pth",
     "dinov3-convnext-large-pretrain-lvd1689m", "imagenet", dino_table::convnext(27, 192)},
};

}  // namespace imatch
