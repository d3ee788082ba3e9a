// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <tuple>

#include "backbone/backbone.h"
#include "backbone/token_grids.h"
#include "base/field.h"
#include "feature/pooling.h"
#include "nn/efficientnet_lite_network.h"

namespace imatch {

struct EfficientNetLiteOptions {
  int image_size = 336;
  std::string resize = "shorter";
  int stage = 16;
  std::string global = "mean";
  std::string dtype = "fp32";
  std::string weights;
  std::string device = "auto";
  int batch_size = 0;

  static constexpr std::string_view kDtypes[] = {"fp32", "bf16", "fp16"};
  using Self = EfficientNetLiteOptions;
  static constexpr auto fields = std::tuple{
      field("image_size", &Self::image_size, in_range(32, 4096),
            "Side in pixels to which images are resized."),
      field("resize", &Self::resize, one_of(WorkingFrame::kModes),
            "Which side: 'shorter', 'longer' (aspect kept, both sides rounded to multiples of `stage`), "
            "'exact' (a "
            "square) 'keep' (the image's own size, rounded alike) "
            "or 'shorter_cut' (what is over is cut off right and below)."),
      field("stage", &Self::stage, in_range(8, 32),
            "Stride of the feature map in pixels of the resized image: 8 (40 channels), 16 (112) or 32 "
            "(320). The "
            "network runs no further than that."),
      field("global", &Self::global, one_of(kPoolings),
            "The image's vector, made of the same feature map: 'mean' of the tokens, 'mean_std' (with their "
            "standard "
            "deviation) or 'gem' (p = 3)."),
      field("dtype", &Self::dtype, one_of(kDtypes),
            "Number type of the network; features are float32 in any case."),
      field("weights", &Self::weights, anything(),
            "Another file of weights for the same network, .pth or .safetensors; empty: the ImageNet weights "
            "that come "
            "with the program."),
      field("device", &Self::device, anything(), "'cpu', 'cuda', 'cuda:N', or 'auto': what --device says."),
      field("batch_size", &Self::batch_size, in_range(0, 4096),
            "Images that go forward together; 0: 32 on a GPU, and on the CPU one for every four threads, "
            "since larger "
            "batches only leave the processor's cache.")};
};

/// EfficientNet-Lite0 with its ImageNet weights: the linear bottleneck at the end of a stage as tokens.
/// Preprocessing is that of the training, (level - 127) / 128 on RGB.
///
/// The padding of this network is uneven (one pixel more at the end of an axis at every stride), which moves
/// the centre of a token's receptive field by nearly half a cell, 7.5 px at stage 16. Its training has undone
/// that: over half turns of photographs tokens agree best when placed at the centre of their cell (within 1
/// px at stage 8 and 2.5 px at stage 16, on four photographs), and there original_from_grid puts them.
class EfficientNetLite final : public Backbone {
 public:
  using Options = EfficientNetLiteOptions;
  static constexpr const char* kName = "efficientnet_lite0";
  static constexpr const char* kDoc =
      "EfficientNet-Lite0 trained on ImageNet: feature maps at 8, 16 or 32 px. Comes with the program.";

  /// Throws Failure: bad_weights for a file that is not the expected one or does not fit the network; as
  /// load_state_dict and resolve_device.
  explicit EfficientNetLite(Options options);

  std::vector<Features> extract(std::span<const Image* const> images) const override;
  at::Tensor logits(std::span<const Image* const> images) const override;
  std::string spec() const override;
  std::string weights_sha256() const override { return sha256_; }
  int stride() const override { return options_.stage; }
  bool is_local() const override { return true; }

 private:
  Options options_;
  TokenGridSettings input_;
  std::string sha256_;
  std::optional<EfficientNetLite0> network_;
};

}  // namespace imatch
