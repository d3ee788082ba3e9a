// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/ScalarType.h>

#include <string_view>

namespace imatch::pickle {

enum class Kind { kTensor, kParameter, kOrderedDict, kSize, kBytes, kEncode, kDtype, kStorageType };

/// A global that a pickle may name.
struct Global {
  const char* name;
  Kind kind;
  at::ScalarType type = at::ScalarType::Undefined;  ///< Of a dtype or storage type.
};

/// nullptr for any that a file of weights has no need of.
const Global* find_global(std::string_view name);

}  // namespace imatch::pickle
