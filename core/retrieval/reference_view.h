// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/field.h"
#include "image/image.h"

namespace imatch {

struct ReferenceViewOptions {
  double angle_deg = 0;
  double crop_ratio = 0.5;
  bool resize_back = false;
  using Self = ReferenceViewOptions;
  static constexpr auto fields = std::tuple{
      field("angle_deg", &Self::angle_deg, anything(), "Rotation of the photo, degrees counter-clockwise."),
      field("crop_ratio", &Self::crop_ratio, in_range(1e-6, 1), "Share of each side that stays."),
      field("resize_back", &Self::resize_back, anything(), "Enlarge the crop to the photo's size.")};
};

/// A reference of coarse localisation, made of a photo: rotated on a larger canvas (Pillow's rotate), the
/// largest part of the photo's shape scaled to its size (Pillow's ImageOps.fit), its centre cropped. Throws
/// Error for an empty photo.
Image reference_view(const Image& photo, const ReferenceViewOptions& options);

}  // namespace imatch
