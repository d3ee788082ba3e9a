// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "feature/features.h"
#include "image/image.h"

namespace imatch {

/// Pictures of token grids: the first three principal components of all tokens together as red, green and
/// blue, each stretched from its 1st to its 99th percentile, so that one colour means one thing in every
/// picture. One cols x rows picture for each Features, a pixel a token. A component's sign is such that its
/// entry of largest magnitude is positive. Throws Error for an empty list, tokens that differ in length, or
/// values that are not finite.
std::vector<Image> token_colours(std::span<const Features* const> features);

}  // namespace imatch
