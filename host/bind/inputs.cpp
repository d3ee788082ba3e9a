// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "base/sha256.h"
#include "binding.h"
#include "input_log.h"

namespace imatch::host {
namespace inputs_bindings {

Json json_of(const std::vector<Input>& inputs) {
  Json list = Json::array();
  for (const Input& input : inputs)
    list.push_back({{"kind", input.kind}, {"name", input.name}, {"sha256", input.sha256}});
  return list;
}

int list_inputs(lua_State* L) {
  return push(L, json_of(input_log().inputs()));
}

int cover_files(lua_State* L) {
  std::vector<std::string> paths;
  for (const Json& path : to_json(L, 1, "paths")) paths.push_back(path.get<std::string>());
  input_log().cover(paths);
  return 0;
}

int note_file(lua_State* L) {
  const std::string path = check_string(L, 1);
  std::error_code missing;
  if (std::filesystem::is_regular_file(path, missing)) input_log().data_file(path);
  return 0;
}

int hash_text(lua_State* L) {
  return push(L, sha256_hex(check_string(L, 1)));
}

int set_measuring(lua_State* L) {
  return push(L, input_log().set_measuring(lua_toboolean(L, 1) != 0));
}

int sha256_now(lua_State* L) {
  return push(L, input_now(check_string(L, 1), check_string(L, 2)).sha256);
}

constexpr Binding kFunctions[] = {
    bind<list_inputs>(
        "list", "inputs.list() -> list",
        "What the code of this process has read so far, in this order: { kind = 'code' (scripts, modules), "
        "'data' (files), 'environment' or 'text' (of -e, standard input and the session), name =, sha256 = "
        "}. "
        "sha256 is 'absent' for what was not there and 'changed' for a file that was changed since. The "
        "library's own files do not count.",
        "os.getenv 'HOME'; local list = im.inputs.list(); print(list[#list].sha256 ~= nil) --> true"),
    bind<note_file>(
        "note", "inputs.note(path)",
        "Counts a file among what was read, if there is one of that name; for libraries that read "
        "files by themselves. io.open, io.lines and the readers of im do so.",
        "print(im.inputs.note '/etc/os-release')"),
    bind<hash_text>("sha256", "inputs.sha256(text) -> string", "SHA-256 of bytes, 64 hexadecimal digits.",
                    "print(im.inputs.sha256 '' == "
                    "'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855') --> true"),
    bind<sha256_now>("now", "inputs.now(kind, name) -> string",
                     "The sha256 that an input of that kind and name would have if it were read now.",
                     "print(im.inputs.now('environment', 'NONE_OF_THAT_NAME') == 'absent') --> true"),
    bind<set_measuring>(
        "measuring", "inputs.measuring(is) -> boolean",
        "Whether cells are measured just now, as im.sweep says; returns how it was. What is read meanwhile "
        "is not "
        "in the list: it depends on which cells were finished before. It is kept with those who measured.",
        "local was = im.inputs.measuring(true); print(im.inputs.measuring(was) == true) --> true"),
    bind<cover_files>(
        "cover", "inputs.cover(paths)",
        "Files and folders that are part of the keys of cells: reading them while cells are measured "
        "need not be noted.",
        "print(im.inputs.cover { '/etc' })"),
};

}  // namespace inputs_bindings

extern const Module inputs_module;
const Module inputs_module{"inputs", "What a script has read: the key of its sweeps.",
                           inputs_bindings::kFunctions};

}  // namespace imatch::host
