// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/ScalarType.h>

#include <string_view>

namespace imatch::pickle {

enum class Kind {
  kTensor,
  kParameter,
  kOrderedDict,
  kSize,
  kBytes,
  kEncode,
  kDtype,
  kStorageType,
  kInert,
  kGetattr
};

/// A global that a pickle may name.
struct Global {
  const char* name;
  Kind kind;
  at::ScalarType type = at::ScalarType::Undefined;  ///< Of a dtype or storage type.
};

/// nullptr for one that no honest file of weights names: of a module that runs things, or PyTorch's own and
/// not listed. Any other is kInert: what training writes beside the tensors (argparse.Namespace, NumPy's
/// scalars, enums of whatever program) is stepped over, and neither looked up nor built.
const Global* find_global(std::string_view name);

}  // namespace imatch::pickle
