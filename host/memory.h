// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <lua.hpp>

namespace imatch::host {

/// Lua's collector sees a few bytes of a handle, not the tensor behind it. These keep it informed: when the
/// bytes behind live handles pass a soft limit, a full collection runs; when that frees too little, the limit
/// grows (the rule of Torch7's THGeneral.c).
void add_external_bytes(lua_State* L, std::size_t bytes);
void remove_external_bytes(std::size_t bytes) noexcept;

std::size_t external_bytes() noexcept;
/// Handles that are neither closed nor collected.
std::size_t live_handles() noexcept;
void count_handle(std::ptrdiff_t change) noexcept;

}  // namespace imatch::host
