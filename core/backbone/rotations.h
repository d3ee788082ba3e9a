// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "backbone/backbone.h"
#include "feature/cache.h"

namespace imatch {

/// Features of each image rotated clockwise by `rotation_deg`, in order and through the cache, placed in the
/// image as it was (feature/rotated.h). A rotation by other than a right angle makes the frame larger, so
/// there image_size grows with it and the network sees the image at the scale it has unrotated; with
/// resize=exact it does not. Throws Error for an angle that is not finite, and as extract_features.
std::vector<std::shared_ptr<const Features>> features_of_rotation(const Backbone& backbone,
                                                                  std::span<const Image* const> images,
                                                                  double rotation_deg,
                                                                  FeatureCache& cache = feature_cache());

}  // namespace imatch
