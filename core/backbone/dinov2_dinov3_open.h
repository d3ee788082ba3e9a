// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "backbone/network_backbone.h"
#include "backbone/weights_search.h"
#include "nn/dino_models.h"

namespace imatch {

struct DinoRequest {
  std::string weights;          ///< A file with the official names, or a folder of transformers.
  std::vector<int> layers{-1};  ///< Blocks or stages, rising; from 0 on, or from the end below 0.
  Facet facet = Facet::kToken;
  int depth = 0;  ///< Blocks that the weights have where they are not the model's own; 0: the model's.
  bool with_preprocessor = false;  ///< As read_hf_folder.
};

/// Follows the rules of the repository for a file and of transformers for a folder, where the two differ. The
/// normalisation is left to the caller. Throws Error for layers, a facet or a depth that the model does not
/// have; Failure (bad_weights) for tensors or a configuration of another architecture; as load_state_dict and
/// read_hf_folder.
OpenedNetwork open_dino_network(const DinoModel& model, const DinoRequest& request, NetworkPlace place);

/// What the model's weights are called and where they are handed out, for find_weights.
PublishedWeights published_weights(const DinoModel& model);

}  // namespace imatch
