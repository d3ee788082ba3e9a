// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace imatch {

/// The name that transformers' save_pretrained gives a tensor of the official checkpoints. The thirds of
/// attn.qkv, which transformers keeps apart, are asked for as attn.q, attn.k and attn.v:
/// hf_dinov2_name("blocks.3.attn.q.bias") is "encoder.layer.3.attention.attention.query.bias".
std::string hf_dinov2_name(std::string_view official);           ///< Dinov2Model, Dinov2WithRegistersModel.
std::string hf_dinov3_name(std::string_view official);           ///< DINOv3ViTModel.
std::string hf_dinov3_convnext_name(std::string_view official);  ///< DINOv3ConvNextModel.

}  // namespace imatch
