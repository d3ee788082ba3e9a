// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/field.h"
#include "pointmap/input.h"

namespace imatch {

/// How training samples are varied; as it stands, not at all.
struct PointMapAugmentation {
  double crop = 0;
  double colour = 0;
  double background = 0;
  std::string flip = {};

  static constexpr std::string_view kFlips[] = {"", "x", "y", "z"};
  using Self = PointMapAugmentation;
  static constexpr auto fields = std::tuple{
      field(
          "crop", &Self::crop, in_range(0, 0.9),
          "A square window whose side is up to this share smaller is enlarged to the whole. Points stay what "
          "they are, in the frame of the camera; targets are those of the nearest pixels."),
      field("colour", &Self::colour, in_range(0, 1),
            "Of pictures (kind 'rgb'): contrast, brightness and each channel change by up to this share."),
      field("background", &Self::background, in_range(0, 1),
            "Share of the samples that get one value a channel outside of the silhouette, in the place of 0: "
            "for "
            "use without masks."),
      field("flip", &Self::flip, one_of(kFlips),
            "Half of the samples are mirrored, left and right: posed points change the sign of x, canonical "
            "ones "
            "of this axis. Valid for an animal that is symmetric about 0 on it as it rests; others are "
            "refused.")};

  bool is_off() const { return crop == 0 && colour == 0 && background == 0 && flip.empty(); }
};

/// Changes input and target [7 layers, R, R] of a sample as `seed` says.
void augment(PointMapInput& input, at::Tensor& target, const PointMapAugmentation& how, std::uint64_t seed);

/// Throws Error when canonical points of these targets reach farther to one side of 0 along `flip` than to
/// the other, by more than a tenth of the whole.
void require_symmetry(const std::vector<at::Tensor>& targets, const std::string& flip);

}  // namespace imatch
