// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "io/plain_value.h"

namespace imatch {

/// A value pickled (protocol 2) as torch.save does it.
struct TorchPickle {
  std::string bytes;
  /// The tensors it refers to, in the order of their keys "0", "1", ...: on the CPU, row-major.
  std::vector<at::Tensor> storages;
};

/// Throws Error for a dtype that torch_file.h does not read.
TorchPickle torch_pickle_of(const PlainValue& value);

}  // namespace imatch
