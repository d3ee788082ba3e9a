// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "handle.h"
#include "retrieval/search_result.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<SearchResults> = "SearchResults";
template <>
inline std::size_t native_bytes(const SearchResults& results) {
  return results.queries.size() * 600;
}

}  // namespace imatch::host
