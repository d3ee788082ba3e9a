// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "io/state_dict.h"

namespace imatch {

/// The tensors of one network out of what a training wrote.
struct UnwrappedWeights {
  StateDict tensors;  ///< By the network's own names.
  std::string rule;   ///< What was done, for people: "of 'teacher.backbone.', without 'head.'"; "": nothing.
};

/// Finds the network by a tensor that each of its kind has (one of `landmarks`, the first that occurs), under
/// whatever prefix: {"model"|"teacher"|"student"|"state_dict"|...} around it, "module.", "backbone.",
/// "dinov2." and the like in front. Of several networks in a file the teacher is taken, else the moving
/// average (a name with "ema"), else the shortest prefix, the student last. Names that wrappers put anywhere
/// ("_orig_mod.", "_fsdp_wrapped_module.",
/// "_checkpoint_wrapped_module.") are taken out, blocks in chunks ("blocks.1.7.") numbered through, and the
/// tensors under `heads` ("head.", "classifier.") left beside. A file without such a tensor comes back as it
/// is.
UnwrappedWeights unwrap_weights(const StateDict& file, std::span<const std::string_view> landmarks,
                                std::span<const std::string_view> heads);

/// Blocks, by the names "<blocks>0." and on, without a hole.
int count_blocks(const StateDict& tensors, const std::string& blocks);

}  // namespace imatch
