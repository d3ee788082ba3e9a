// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "backbone/backbone.h"
#include "backbone/token_grids.h"
#include "base/field.h"
#include "nn/token_network.h"

namespace imatch {

struct DinoModel;

struct DinoOptions {
  int image_size = 336;
  std::string resize = "shorter";
  int layer = -1;
  std::string facet = "token";
  int depth = 0;
  std::string dtype = "fp32";
  std::string weights;
  std::string weights_root;
  std::string device = "auto";
  int batch_size = 0;

  static constexpr std::string_view kFacets[] = {"token", "key", "query", "value"};
  static constexpr std::string_view kDtypes[] = {"fp32", "bf16", "fp16"};
  using Self = DinoOptions;
  static constexpr auto fields = std::tuple{
      field("image_size", &Self::image_size, in_range(14, 4096),
            "Side in pixels to which images are resized."),
      field("resize", &Self::resize, one_of(WorkingFrame::kModes),
            "Which side: 'shorter', 'longer' (aspect kept, both sides rounded to whole patches), 'exact' (a "
            "square) 'keep' (the image's own size, rounded alike) "
            "or 'shorter_cut' (what is over is cut off right and below)."),
      field("layer", &Self::layer, anything(),
            "Block of a vision transformer, or stage of a ConvNeXt (strides 4, 8, 16, 32 px), whose tokens "
            "are "
            "taken: from 0 on, or from the end, -1 being the last. The final norm is applied to any block, "
            "but to "
            "the last stage only."),
      field("facet", &Self::facet, one_of(kFacets),
            "'token': the output of the block; 'key', 'query', 'value': vectors of its attention, before the "
            "rotary embedding and without norm."),
      field("depth", &Self::depth, in_range(0, 1024),
            "Blocks that the weights have, for a vision transformer cut or grown; 0: what the model of this "
            "name "
            "has."),
      field("dtype", &Self::dtype, one_of(kDtypes),
            "Number type of the network; features are float32 in any case."),
      field(
          "weights", &Self::weights, anything(),
          "Official file (.pth, or .safetensors with the same names) or folder of Hugging Face (config.json "
          "with "
          "model.safetensors), each used by the rules of those who wrote it; empty: searched by the "
          "published "
          "names under `weights_root`."),
      field("weights_root", &Self::weights_root, anything(),
            "Folder that is searched, with the folders below it; empty: the environment variable "
            "WEIGHTS_ROOT."),
      field("device", &Self::device, anything(), "'cpu', 'cuda', 'cuda:N', or 'auto': what --device says."),
      field("batch_size", &Self::batch_size, in_range(0, 4096),
            "Images that go forward together; 0: 32 on a GPU, and on the CPU one for every four threads.")};
};

/// A model of DINOv2 or DINOv3: patch tokens without the class token and registers, and the class token
/// behind the final norm as the global vector.
class Dino final : public Backbone {
 public:
  using Options = DinoOptions;

  /// Throws Failure as find_weights and open_dino_network, Error as the latter and resolve_device.
  Dino(const DinoModel& model, Options options);

  std::vector<Features> extract(std::span<const Image* const> images) const override;
  std::string spec() const override;
  std::string weights_sha256() const override { return sha256_; }
  int stride() const override { return network_->stride(); }

 private:
  const DinoModel& model_;
  Options options_;
  TokenGridSettings input_;
  std::string sha256_;
  std::unique_ptr<const TokenNetwork> network_;
};

/// A kind for every model, under its alias.
std::vector<BackboneKind> dino_kinds();

}  // namespace imatch
