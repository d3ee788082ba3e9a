// SPDX-License-Identifier: Apache-2.0
#include "base/spelling.h"
#include "binding.h"
#include "sweep.h"
#include "sweep/canonical.h"
#include "sweep/input_hash.h"

namespace imatch::host {
namespace sweep_keys_bindings {

int key(lua_State* L) {
  return push(L, content_key(canonical_json(to_json(L, 1))));
}

int hash_path(lua_State* L) {
  return push(L, hash_of_path(check_string(L, 1)));
}

int nearest_name(lua_State* L) {
  return push(L, did_you_mean(check_string(L, 1), check_names(L, 2, "names")));
}

constexpr Binding kKeyFunctions[] = {
    bind<key>("key", "run.key(value) -> string",
              "Hash of plain data, 24 hexadecimal digits. Equal data has equal keys: the order in tables "
              "does not count, and 2 "
              "is 2.0. NaN, infinity and text that is not UTF-8 are errors.",
              "print(im.run.key { a = 1, b = 2 } == im.run.key { b = 2.0, a = 1 }) --> true"),
    bind<hash_path>("hash", "run.hash(path) -> string",
                    "SHA-256 of a file, or of all files below a folder with their names; 64 hexadecimal "
                    "digits. Fails with "
                    "'not_found' or 'unreadable'.",
                    "print(#im.run.hash '/etc/os-release') --> 64"),
    bind<nearest_name>(
        "nearest", "run.nearest(name, names) -> string",
        "\"; did you mean 'x'?\" when one of the names is near, else \"\": the end of a "
        "message about a wrong name.",
        "print(im.run.nearest('mesure', { 'measure', 'name' })) --> ; did you mean 'measure'?"),
};

}  // namespace sweep_keys_bindings

extern const Module keys_module;
const Module keys_module{"run", "", sweep_keys_bindings::kKeyFunctions};

}  // namespace imatch::host
