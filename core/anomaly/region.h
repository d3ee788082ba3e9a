// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "anomaly/view.h"
#include "image/image.h"

namespace imatch {

/// The part of a picture that is inspected, found again in every other one by what it looks like.
struct InspectedRegion {
  Image template_image;    ///< The region in the picture where it was chosen.
  double threshold = 0.5;  ///< Smallest correlation that counts as found, in [-1, 1].
};

/// The region `rect` of a picture. Throws Error when it is empty or reaches beyond the picture.
InspectedRegion region_of(const Image& image, const PixelRect& rect, double threshold);

struct RegionMatch {
  PixelRect rect;          ///< The template's size, at its best place.
  double correlation = 0;  ///< There, in [-1, 1].
};

/// Where the template correlates best with the picture: the normalised correlation coefficient over all three
/// channels (J. P. Lewis, "Fast normalized cross-correlation", 1995), first place by rows among equals.
/// nullopt when the picture is smaller than the template.
std::optional<RegionMatch> find_region(const Image& image, const Image& template_image);

}  // namespace imatch
