// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "feature/features.h"

namespace imatch {

/// Every stride-th token of the grid in both directions, beginning with the first: [ceil(rows / stride) *
/// ceil(cols / stride), D]. A token keeps its centre in the original image; the global vector stays. stride
/// >= 1.
Features subsample(const Features& features, int stride);

/// Global vector and tokens scaled to length one (a zero vector stays zero), in their own dtype.
Features l2_normalized(const Features& features);

/// A variant by the name that manifests use: "raw" (as they are) or "sub<stride>" ("sub2": subsample by 2).
/// Throws Error for another name.
Features variant_of(const Features& features, const std::string& variant);

}  // namespace imatch
