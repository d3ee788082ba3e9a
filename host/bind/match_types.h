// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "binding.h"

namespace imatch::host {

extern const Type matches_type;
extern const Type geometry_type;

/// Begins the examples of matching: `f` are Features of 4 x 4 tokens.
#define IMATCH_EXAMPLE_FEATURES                                                                          \
  "local rows = {}\n"                                                                                    \
  "for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end\n"      \
  "local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = " \
  "4, cols = 4 })\n"

}  // namespace imatch::host
