// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "render/painter.h"

namespace imatch {

inline constexpr SurfaceColour kVerge{104, 118, 70};
inline constexpr SurfaceColour kPaint{214, 214, 208};

/// A texel and all that is known of its place.
struct Painter::Spot {
  std::size_t index = 0;
  Point2 flat;
  float river = 0;
  const Parcel* parcel = nullptr;
  float edge = 0;  ///< Distance of the nearest border, m; large beyond kBorderReach.
  std::array<float, kBorders> distance{};
  std::array<const Division*, kBorders> node{};
};

}  // namespace imatch
