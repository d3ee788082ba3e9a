// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "feature/features.h"
#include "match/matches.h"

namespace imatch {

/// Moves each match's point in b to where the similarity with the token of a peaks: the vertex of the
/// parabola through the similarities of the token of b and its neighbours, along each axis of the grid, at
/// most half a token away. Without it, two pictures that differ by less than half a token agree in every
/// token, and a transform between them can only be the identity. A token at the border of the grid, or beside
/// one that is zero or not selectable, stays in place along that axis. `a` and `b` are the features matched;
/// throws Error for others.
void refine_to_subpixel(Matches& matches, const Features& a, const Features& b);

}  // namespace imatch
