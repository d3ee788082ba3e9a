// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <tuple>

#include "base/field.h"
#include "base/options.h"
#include "image/image.h"
#include "pointmap/points.h"

namespace imatch {

inline constexpr std::string_view kPointColours[] = {"canonical", "depth",  "confidence",
                                                     "layer",     "normal", "plain"};

struct PointPictureOptions {
  int width = 960, height = 480;
  std::string colour = "canonical";
  double yaw_deg = 0, pitch_deg = 0;
  double confidence = 0;
  int layer = 0;

  using Self = PointPictureOptions;
  static constexpr auto fields = std::tuple{
      field("width", &Self::width, in_range(16, 16384), "Of the picture, px."),
      field("height", &Self::height, in_range(16, 16384), "Of the picture, px."),
      field("colour", &Self::colour, one_of(kPointColours),
            "By canonical position, depth (near: yellow), confidence, layer, normal (127.5 (1 + n)); plain: "
            "canonical points blue, posed ones orange."),
      field(
          "yaw_deg", &Self::yaw_deg, anything(),
          "Turn about the upward axis of what is looked at along -z; positive: its right side comes nearer."),
      field("pitch_deg", &Self::pitch_deg, in_range(-90, 90), "Then its upper side comes nearer."),
      field("confidence", &Self::confidence, at_least(0), "Points below it are not drawn."),
      field("layer", &Self::layer, in_range(0, 64), "The only layer that is drawn, from 1; 0: all.")};
};

/// Canonical points on the left, posed ones on the right (if there are any), turned alike, each fitted into
/// its half, on white; nearer points hide others. Throws Error for a colour that the points do not have.
Image point_picture(const PointMapPoints& points, const PointPictureOptions& options);

/// What a page shows: count, layers (points of each), and as base64 of little-endian float32 canonical, posed
/// (3 a point), confidence, layer (1 a point), canonical_normal, posed_normal; null where there is none.
Json packed_points(const PointMapPoints& points);

}  // namespace imatch
