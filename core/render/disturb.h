// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/field.h"
#include "render/view.h"

namespace imatch {

/// What weather, optics, sensor and storage do to a picture, in that order: blur, colour gains, contrast,
/// brightness, gamma, noise, JPEG. The defaults change nothing.
struct DisturbOptions {
  double blur_px = 0;
  std::vector<double> colour_gain;
  double contrast = 1;
  double brightness = 0;
  double gamma = 1;
  double noise = 0;
  std::int64_t seed = 0;
  std::optional<int> jpeg_quality;
  static constexpr auto fields = std::tuple{
      field("blur_px", &DisturbOptions::blur_px, in_range(0, 100),
            "Standard deviation of a Gaussian blur, px."),
      field("colour_gain", &DisturbOptions::colour_gain, in_range(0, 10),
            "Factors of red, green and blue; none: 1, 1, 1."),
      field("contrast", &DisturbOptions::contrast, in_range(0, 10), "Factor about the middle grey 127.5."),
      field("brightness", &DisturbOptions::brightness, in_range(-255, 255), "Grey levels added."),
      field("gamma", &DisturbOptions::gamma, in_range(0.05, 20),
            "value -> 255 (value / 255)^gamma: above 1 darkens, below 1 brightens the middle."),
      field("noise", &DisturbOptions::noise, in_range(0, 255),
            "Standard deviation of Gaussian noise in grey levels, independent in every pixel and channel."),
      field("seed", &DisturbOptions::seed, anything(),
            "Of the noise; the same seed gives the same noise everywhere."),
      field("jpeg_quality", &DisturbOptions::jpeg_quality, in_range(1, 100),
            "Compressed and decompressed at this quality; none: not."),
  };
};

/// Changes the image; mask, geometry and size stay. Invalid pixels stay black and do not bleed into valid
/// ones.
void disturb(View& view, const DisturbOptions& options);

}  // namespace imatch
