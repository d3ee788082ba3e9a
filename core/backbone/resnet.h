// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "backbone/backbone.h"
#include "backbone/token_grids.h"
#include "base/field.h"
#include "nn/resnet_network.h"

namespace imatch {

struct ResNetModel;

struct ResNetOptions {
  int image_size = 224;
  std::string resize = "shorter";
  std::vector<std::string> layers{"layer2", "layer3"};
  std::string dtype = "fp32";
  std::string weights;
  std::string weights_root;
  std::string device = "auto";
  int batch_size = 0;

  static constexpr std::string_view kLayers[] = {"layer1", "layer2", "layer3", "layer4"};
  static constexpr std::string_view kDtypes[] = {"fp32", "bf16", "fp16"};
  using Self = ResNetOptions;
  static constexpr auto fields = std::tuple{
      field("image_size", &Self::image_size, in_range(32, 4096),
            "Side in pixels to which images are resized."),
      field("resize", &Self::resize, one_of(WorkingFrame::kModes),
            "Which side: 'shorter', 'longer' (aspect kept, both sides rounded to whole cells of the finest "
            "layer), "
            "'exact' (a square) 'keep' (the image's own size, rounded alike) "
            "or 'shorter_cut' (what is over is cut off right and below)."),
      field(
          "layers", &Self::layers, one_of(kLayers),
          "Feature maps that make a token, one behind the other on the grid of the finest, the coarser ones "
          "bilinearly enlarged. Cells have 4, 8, 16 and 32 px. The network runs no further than the "
          "coarsest."),
      field("dtype", &Self::dtype, one_of(kDtypes),
            "Number type of the network; features are float32 in any case."),
      field(
          "weights", &Self::weights, anything(),
          "File with torchvision's names of tensors, .pth or .safetensors; empty: searched by the published "
          "names under `weights_root`."),
      field("weights_root", &Self::weights_root, anything(),
            "Folder that is searched, with the folders below it; empty: the environment variable "
            "WEIGHTS_ROOT."),
      field("device", &Self::device, anything(), "'cpu', 'cuda', 'cuda:N', or 'auto': what --device says."),
      field("batch_size", &Self::batch_size, in_range(0, 4096),
            "Images that go forward together; 0: 32 on a GPU, and on the CPU one for every four threads.")};
};

/// A residual network of torchvision as a backbone, with ImageNet's normalisation; the global vector is the
/// mean of the coarsest of its layers. Tokens are placed at the centre of their cell.
class ResNetBackbone final : public Backbone {
 public:
  using Options = ResNetOptions;

  /// Throws Error for an empty or repeated list of layers, Failure as find_weights, load_state_dict and
  /// ResNet.
  ResNetBackbone(const ResNetModel& model, Options options);

  std::vector<Features> extract(std::span<const Image* const> images) const override;
  at::Tensor logits(std::span<const Image* const> images) const override;
  std::string spec() const override;
  std::string weights_sha256() const override { return sha256_; }
  int stride() const override { return input_.frame.stride_px; }
  bool is_local() const override { return true; }

 private:
  const ResNetModel& model_;
  Options options_;
  std::vector<int> layers_;  ///< 0-based, finest first.
  TokenGridSettings input_;
  std::string sha256_;
  std::optional<ResNet> network_;
};

/// A kind for resnet18, resnet50 and wide_resnet50_2.
std::vector<BackboneKind> resnet_kinds();

}  // namespace imatch
