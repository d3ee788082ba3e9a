// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "io/mapped_file.h"
#include "io/plain_value.h"

namespace imatch {

/// A storage that a pickle of torch.save refers to by a persistent id.
struct StorageReference {
  std::string key;
  at::ScalarType type;
  std::int64_t count = 0;  ///< Elements.
};

/// Finds the bytes of a storage. Throws Failure when there is none of that name and size.
using StorageSource = std::function<at::Storage(const StorageReference&)>;

struct Unpickled {
  PlainValue value;
  std::size_t size = 0;  ///< Bytes of the pickle.
};

/// Reads the pickle (protocols 2 to 5) at the front of `bytes`. It can build tensors, OrderedDict,
/// torch.Size, dtypes and plain containers, and nothing else: no code is looked up or run, and what is
/// another object (see find_global) becomes None. Throws Failure (bad_format, message beginning with `name`)
/// for a global that no file of weights has a need of, which it names ("names 'os.system'"), and for a broken
/// or monstrous pickle: truncated, nested more than 100 deep, containing itself, or of more than 2^23 values.
/// Format: https://github.com/python/cpython/blob/3.11/Lib/pickletools.py
Unpickled unpickle(std::span<const std::byte> bytes, const StorageSource& storages, const std::string& name);

}  // namespace imatch
