// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.hpp>
#include <memory>
#include <string>
#include <utility>

#include "stack.h"

namespace imatch::host {

/// The name of a bound type in Lua ("Image"). Specialise it once for each type, in its file of bind/ or a
/// header:
///   template <> inline constexpr const char* type_name<Image> = "Image";
template <class T>
inline constexpr const char* type_name = nullptr;

/// Bytes of native memory behind an object, for the garbage collector. Specialise where it is more than a
/// page:
///   template <> inline std::size_t native_bytes(const Image& image) { return image.rgb.size(); }
template <class T>
std::size_t native_bytes(const T&) {
  return 0;
}

/// A bound type as the functions below want it: type_name<T>. The address of that variable is the type's
/// identity: the key of its metatable in the registry, and what a handle is told by at every call, without
/// hashing a name.
using TypeName = const char*;

/// What a userdata holds: one shared pointer. Handles of one im.scope are linked, so that the scope can close
/// them.
struct Handle {
  const TypeName* type = nullptr;
  std::shared_ptr<void> object;
  std::size_t bytes = 0;
  Handle* previous = nullptr;
  Handle* next = nullptr;

  void close() noexcept;
};

/// Pushes an empty handle of the type, to be filled at once by the caller.
Handle& push_handle(lua_State* L, const TypeName& type, std::size_t bytes);
/// Tells the collector that the object behind the handle has another size now.
void resize_handle(lua_State* L, Handle& handle, std::size_t bytes);
/// The handle at `index`. Throws Error when it is another type, or closed: "Image is closed".
Handle& check_handle(lua_State* L, int index, const TypeName& type);
/// The handle at `index`, or nullptr when it is something else.
Handle* test_handle(lua_State* L, int index, const TypeName& type);

/// Pushes a shared object; nothing is copied. Returns 1, the number of Lua results.
template <class T>
int push(lua_State* L, std::shared_ptr<T> object) {
  using Plain = std::remove_const_t<T>;
  static_assert(type_name<Plain> != nullptr, "specialise type_name for this type");
  Handle& handle = push_handle(L, type_name<Plain>, native_bytes<Plain>(*object));
  handle.object = std::const_pointer_cast<Plain>(std::move(object));
  return 1;
}

/// Pushes a value as a new object.
template <class T>
requires(type_name<T> != nullptr) int push(lua_State* L, T value) {
  return push(L, std::make_shared<T>(std::move(value)));
}

/// The object at `index`; see check_handle for the errors. Bound objects are immutable unless said otherwise.
template <class T>
const T& arg(lua_State* L, int index) {
  return *static_cast<const T*>(check_handle(L, index, type_name<T>).object.get());
}

/// The object at `index`, for the few types that change.
template <class T>
T& mutable_arg(lua_State* L, int index) {
  return *static_cast<T*>(check_handle(L, index, type_name<T>).object.get());
}

/// The object at `index`, shared: for a caller that keeps it.
template <class T>
std::shared_ptr<const T> shared_arg(lua_State* L, int index) {
  return std::static_pointer_cast<const T>(check_handle(L, index, type_name<T>).object);
}

/// For an object that grows with use: tells the collector its size anew.
template <class T>
void report_growth(lua_State* L, int index) {
  Handle& handle = check_handle(L, index, type_name<T>);
  resize_handle(L, handle, native_bytes<T>(*static_cast<const T*>(handle.object.get())));
}

/// The handle on top of the stack, which stands at `item` (from 1) of the list at `index`.
Handle& check_item(lua_State* L, int index, std::size_t item, const TypeName& type);

/// Calls `take` with each object of a list at `index`, shared. Throws ArgumentError for anything else in it.
template <class T, class Take>
void for_each_item(lua_State* L, int index, Take take) {
  const std::size_t length = check_list(L, index, type_name<T>);
  for (std::size_t i = 1; i <= length; ++i) {
    lua_rawgeti(L, index, static_cast<int>(i));
    take(std::static_pointer_cast<const T>(check_item(L, index, i, type_name<T>).object));
    lua_pop(L, 1);
  }
}

/// True when the value at `index` is an open or closed handle of T.
template <class T>
bool is(lua_State* L, int index) {
  return test_handle(L, index, type_name<T>) != nullptr;
}

/// Runs the function at stack index 1 with a new scope: every handle pushed inside is closed when it returns,
/// fails or is interrupted, except those it returns. Results replace the stack.
int run_in_scope(lua_State* L);

}  // namespace imatch::host
