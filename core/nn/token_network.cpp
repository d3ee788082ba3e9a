// SPDX-License-Identifier: Apache-2.0
#include "nn/token_network.h"

#include "base/error.h"

namespace imatch {

std::vector<std::size_t> TokenNetwork::write(GraphWriter&, std::size_t) const {
  throw Error("this network cannot be written as a graph; only those of users from TorchScript files cannot");
}

}  // namespace imatch
