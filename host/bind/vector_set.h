// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "handle.h"
#include "retrieval/vector_files.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<VectorSet> = "VectorSet";
template <>
inline std::size_t native_bytes(const VectorSet& set) {
  return set.vectors.nbytes() + set.paths.size() * 400;
}

}  // namespace imatch::host
