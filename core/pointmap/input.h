// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "backbone/backbone.h"
#include "base/field.h"
#include "image/image.h"
#include "io/state_dict.h"

namespace imatch {

struct PointMapFeatureOptions {
  std::string kind = "auto";
  std::string backbone;
  int channels = 64;

  static constexpr std::string_view kKinds[] = {"auto", "png", "npy", "rgb", "backbone"};
  using Self = PointMapFeatureOptions;
  static constexpr auto fields = std::tuple{
      field("kind", &Self::kind, one_of(kKinds),
            "What the network sees: 'png', square tiles of three channels side by side, value / 127 - 1; "
            "'npy', "
            "[C, h, w]; 'rgb', the picture / 255; 'backbone'. 'auto': what the folder has, else 'rgb'."),
      field("backbone", &Self::backbone, anything(), "For 'backbone': its name, or name and options."),
      field("channels", &Self::channels, in_range(1, 4096),
            "For 'backbone': channels that remain, by principal axes of the training set's tokens.")};
};

/// Features for a point map network: how they are made from files, and what was learned for it.
class PointMapFeatures {
 public:
  /// For a kind other than 'auto' and 'backbone'.
  explicit PointMapFeatures(PointMapFeatureOptions options);
  /// Learns the axes from these pictures, asked for by their index (all of them, or 200 spread over them).
  static PointMapFeatures learned(PointMapFeatureOptions options, std::size_t count,
                                  const std::function<Image(std::size_t)>& picture);
  /// As config() and extra() of a checkpoint have it. Throws Failure (bad_format), beginning with `title`.
  static PointMapFeatures restored(const Json& config, const StateDict& extra, const std::string& title);

  const PointMapFeatureOptions& options() const { return options_; }
  StateDict learned_tensors() const;

  /// [C, h, w] float32. `path`: of the tiled PNG, the .npy, or the picture. Throws Failure as the readers,
  /// and bad_format for a PNG whose width is not a multiple of its height and an array without three axes.
  at::Tensor load(const std::string& path) const;
  /// The same of a picture, for the kinds that are made from it: 'rgb' and 'backbone'. Throws Error for the
  /// others.
  at::Tensor of_picture(const Image& picture) const;

 private:
  PointMapFeatureOptions options_;
  std::shared_ptr<const Backbone> backbone_;
  at::Tensor mean_, axes_;
};

/// What goes into the network: features [C, R, R] that are 0 outside of the mask, and the mask [R, R].
struct PointMapInput {
  at::Tensor features, mask;
};

/// [H, W] float32 in [0, 1]: the first channel, divided by 255 where it exceeds 1.
at::Tensor mask_of_picture(const Image& picture);

/// Resized without antialiasing, features bicubic, the mask bilinear and then 1 where it is 1. An undefined
/// mask is 1 everywhere.
PointMapInput point_map_input(const at::Tensor& features, const at::Tensor& mask, int resolution);

}  // namespace imatch
