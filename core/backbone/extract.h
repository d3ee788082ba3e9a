// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "backbone/backbone.h"
#include "feature/cache.h"

namespace imatch {

/// Features of each image, in order, through the cache: only images whose features are not in it go forward,
/// each picture once, however often it is given. Features::key names the content (image, backbone with all
/// its options, weights). The device is not part of it: devices agree up to rounding. What is finished when a
/// stop is asked for stays in the cache. Throws as Backbone::extract.
std::vector<std::shared_ptr<const Features>> extract_features(const Backbone& backbone,
                                                              std::span<const Image* const> images,
                                                              FeatureCache& cache = feature_cache());

}  // namespace imatch
