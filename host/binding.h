// SPDX-License-Identifier: Apache-2.0
//
// Everything a file of bind/ needs. A topic's binding is one Module: its functions, its types, and their
// documentation as data. A function checks its arguments, calls core and pushes:
//
//   /// image.open(path) -> Image
//   int open(lua_State* L) { return push(L, open_image(check_string(L, 1))); }
//
//   constexpr Binding kFunctions[] = {
//       bind<open>("open", "image.open(path) -> Image", "Reads a picture ...", "print(im.image.open
//       'a.jpg')"),
//   };
//   extern const Module image_module;
//   const Module image_module{"image", "Pictures.", image_bindings::kFunctions, image_bindings::kTypes};
//
// and one line in modules.cpp. All but the last stands in `namespace image_bindings`: a dozen of these files
// are compiled together. What core throws is translated into Lua's terms by the guard inside bind().
#pragma once

#include <lua.hpp>
#include <span>
#include <vector>

#include "base/options.h"
#include "guard.h"
#include "handle.h"
#include "stack.h"

namespace imatch::host {

/// One function or method with its documentation. Made by bind() only, so that none is left unguarded.
class Binding {
 public:
  const char* name;
  /// As it is called: "match.mutual_nearest(a, b [, options]) -> Matches", "Image:resize(options) -> Image".
  const char* signature;
  /// What it does: shapes, units, ranges, errors, source of the algorithm.
  const char* text;
  /// Runs as it stands with `im` defined; the tests execute it.
  const char* example;
  /// Fields of its option table; nullptr when it has none.
  std::vector<FieldInfo> (*options)();

  lua_CFunction function() const { return function_; }

  template <lua_CFunction fn>
  static constexpr Binding make(const char* name, const char* signature, const char* text,
                                const char* example, std::vector<FieldInfo> (*options)()) {
    return Binding(name, signature, text, example, options, &guarded<fn>);
  }

 private:
  constexpr Binding(const char* n, const char* s, const char* t, const char* e, std::vector<FieldInfo> (*o)(),
                    lua_CFunction f)
      : name(n), signature(s), text(t), example(e), options(o), function_(f) {}
  lua_CFunction function_;
};

/// bind<fn>(name, signature, text, example [, describe_options<Options>]).
template <lua_CFunction fn>
constexpr Binding bind(const char* name, const char* signature, const char* text, const char* example,
                       std::vector<FieldInfo> (*options)() = nullptr) {
  return Binding::make<fn>(name, signature, text, example, options);
}

/// A userdata type. `close` is added to the methods. `tostring` is called for __tostring: "Image(640x480)".
struct Type {
  const TypeName* key;  ///< See TypeName.
  const char* name;
  const char* text;  ///< nullptr: see more_methods.
  std::span<const Binding> methods;
  lua_CFunction tostring;
  lua_CFunction length = nullptr;  ///< For `#object`; may be left out.
};

/// describe_type<T, tostring [, length]>(text, methods): the name is taken from type_name<T>, the functions
/// are guarded.
template <class T, lua_CFunction tostring>
constexpr Type describe_type(const char* text, std::span<const Binding> methods) {
  return {&type_name<T>, type_name<T>, text, methods, &guarded<tostring>, nullptr};
}
template <class T, lua_CFunction tostring, lua_CFunction length>
constexpr Type describe_type(const char* text, std::span<const Binding> methods) {
  return {&type_name<T>, type_name<T>, text, methods, &guarded<tostring>, &guarded<length>};
}

/// Methods that another file adds to a type.
template <class T>
constexpr Type more_methods(std::span<const Binding> methods) {
  return {&type_name<T>, type_name<T>, nullptr, methods, nullptr, nullptr};
}

/// One table of `im` (`im.image`), with the types it makes. A module named "" puts its functions into `im`
/// itself. Files of one room may fill one table: the first of them has its text, the others "".
struct Module {
  const char* name;
  const char* text;
  std::span<const Binding> functions;
  std::span<const Type> types = {};
};

/// All modules, in the order of the rooms (modules.cpp).
std::span<const Module* const> modules();

/// Pushes the table of all modules, with every type's metatable registered: `require "imatch.native"`.
int push_native(lua_State* L);

}  // namespace imatch::host
