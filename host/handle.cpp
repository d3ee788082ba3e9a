// SPDX-License-Identifier: Apache-2.0
#include "handle.h"

#include <fmt/format.h>

#include <new>

#include "base/error.h"
#include "memory.h"
#include "stack.h"

namespace imatch::host {
namespace {

/// Head of the list of handles opened in the innermost scope; nullptr outside of any scope.
Handle* scope_head = nullptr;

void unlink(Handle& handle) noexcept {
  if (handle.previous) handle.previous->next = handle.next;
  if (handle.next) handle.next->previous = handle.previous;
  handle.previous = handle.next = nullptr;
}

void link(Handle& handle, Handle& head) noexcept {
  handle.previous = &head;
  handle.next = head.next;
  if (head.next) head.next->previous = &handle;
  head.next = &handle;
}

/// Closes what was opened since its construction, also when a Lua error unwinds through it.
class Scope {
 public:
  Scope() : outer_(scope_head) { scope_head = &head_; }
  ~Scope() {
    scope_head = outer_;
    while (head_.next) {
      Handle& handle = *head_.next;
      unlink(handle);
      handle.close();
    }
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  /// Leaves the handle to the outer scope.
  void release(Handle& handle) noexcept {
    unlink(handle);
    if (outer_) link(handle, *outer_);
  }

 private:
  Handle head_;
  Handle* outer_;
};

/// Handles of every bound type share this key in their metatable, so that they can be told from foreign
/// userdata.
constexpr const char* kHandleMark = "__imatch_handle";

Handle* any_handle(lua_State* L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index)) return nullptr;
  lua_getfield(L, -1, kHandleMark);
  const bool ours = lua_toboolean(L, -1) != 0;
  lua_pop(L, 2);
  return ours ? static_cast<Handle*>(lua_touserdata(L, index)) : nullptr;
}

}  // namespace

void Handle::close() noexcept {
  if (!object) return;
  object.reset();
  remove_external_bytes(bytes);
  count_handle(-1);
  bytes = 0;
}

Handle& push_handle(lua_State* L, const TypeName& type, std::size_t bytes) {
  luaL_checkstack(L, 3, "too many values");
  add_external_bytes(L, bytes);
  count_handle(1);
  auto* handle = new (lua_newuserdata(L, sizeof(Handle))) Handle;
  handle->type = &type;
  handle->bytes = bytes;
  if (scope_head) link(*handle, *scope_head);
  lua_pushlightuserdata(L, const_cast<TypeName*>(&type));
  lua_rawget(L, LUA_REGISTRYINDEX);
  lua_setmetatable(L, -2);
  return *handle;
}

void resize_handle(lua_State* L, Handle& handle, std::size_t bytes) {
  remove_external_bytes(handle.bytes);
  handle.bytes = bytes;
  add_external_bytes(L, bytes);
}

Handle* test_handle(lua_State* L, int index, const TypeName& type) {
  // Userdata of others has another size, or not this address in it.
  if (lua_type(L, index) != LUA_TUSERDATA || lua_objlen(L, index) != sizeof(Handle)) return nullptr;
  auto* handle = static_cast<Handle*>(lua_touserdata(L, index));
  return handle->type == &type ? handle : nullptr;
}

Handle& check_handle(lua_State* L, int index, const TypeName& type) {
  Handle* handle = test_handle(L, index, type);
  if (!handle) wrong_argument(L, index, type);
  if (!handle->object) throw ArgumentError(index, fmt::format(": {} is closed", type));
  return *handle;
}

Handle& check_item(lua_State* L, int index, std::size_t item, const TypeName& type) {
  Handle* handle = test_handle(L, -1, type);
  if (!handle) wrong_item(L, index, item, type);
  if (!handle->object) throw ArgumentError(index, fmt::format("[{}]: {} is closed", item, type));
  return *handle;
}

int run_in_scope(lua_State* L) {
  check_function(L, 1);
  lua_settop(L, 1);
  Scope scope;
  lua_call(L, 0, LUA_MULTRET);
  for (int i = 1; i <= lua_gettop(L); ++i)
    if (Handle* handle = any_handle(L, i)) scope.release(*handle);
  return lua_gettop(L);
}

/// `object:close()`: frees the native memory now; a second call does nothing.
int close_handle(lua_State* L) {
  Handle* handle = any_handle(L, 1);
  if (!handle) wrong_argument(L, 1, "an object with close()");
  unlink(*handle);
  handle->close();
  return 0;
}

int collect_handle(lua_State* L) {
  auto* handle = static_cast<Handle*>(lua_touserdata(L, 1));
  unlink(*handle);
  handle->close();
  handle->~Handle();
  return 0;
}

}  // namespace imatch::host
