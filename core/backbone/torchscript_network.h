// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backbone/network_backbone.h"
#include "backbone/user_network.h"

namespace imatch {

/// The network in `options.weights`, a file of torch.jit.save. Such a file is a program that runs with the
/// rights of this one. Its outputs are a tensor, a tuple or list of them, or a dictionary by name. Throws
/// Failure as require_file, and bad_format for a file that LibTorch cannot load; names and shapes of outputs
/// show only when an image goes through (Error).
OpenedNetwork open_torchscript_network(const UserNetworkOptions& options, NetworkPlace place);

}  // namespace imatch
