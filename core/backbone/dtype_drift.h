// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/options.h"
#include "image/image.h"

namespace imatch {

/// How far a backbone's features move when the network runs in another number type, and what that costs or
/// saves.
struct DtypeDrift {
  std::string dtype;
  double token_max_abs = 0;     ///< Largest difference of an element, in units of the float32 tokens.
  double token_min_cosine = 1;  ///< Smallest cosine between a token and its float32 self.
  double token_mean_cosine = 1;
  double global_min_cosine = 1;
  double ms_per_image = 0;  ///< Whole extraction, second of two runs.
};

/// Runs the backbone in fp32, bf16, fp16 and, where it has it, int8 on the same images, past every cache; the
/// fp32 row comes first and is compared with itself. Tokens of zero norm are left out of the cosines. `spec`
/// and `options` are those of open_backbone, the dtype in them is ignored. Throws Error for a backbone
/// without the option dtype or no images.
std::vector<DtypeDrift> dtype_drift(const std::string& spec, const Json& options,
                                    std::span<const Image* const> images);

}  // namespace imatch
