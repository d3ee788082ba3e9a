// SPDX-License-Identifier: Apache-2.0
#include "memory.h"

namespace imatch::host {
namespace {
// Touched by the Lua thread only.
std::size_t live_bytes = 0;
std::size_t handles = 0;
std::size_t soft_limit = std::size_t{512} << 20;
}  // namespace

void add_external_bytes(lua_State* L, std::size_t bytes) {
  live_bytes += bytes;
  if (live_bytes <= soft_limit) return;
  lua_gc(L, LUA_GCCOLLECT, 0);
  if (live_bytes > soft_limit / 5 * 4) soft_limit = live_bytes / 5 * 7;
}

void remove_external_bytes(std::size_t bytes) noexcept {
  live_bytes -= bytes;
}
std::size_t external_bytes() noexcept {
  return live_bytes;
}
std::size_t live_handles() noexcept {
  return handles;
}
void count_handle(std::ptrdiff_t change) noexcept {
  handles += static_cast<std::size_t>(change);
}

}  // namespace imatch::host
