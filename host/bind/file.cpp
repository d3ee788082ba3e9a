// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <unistd.h>

#include <filesystem>

#include "base/file_entry.h"
#include "base/path_below.h"
#include "base/resources.h"
#include "base/sha256.h"
#include "binding.h"
#include "io/file_list.h"
#include "io/file_pattern.h"

namespace imatch::host {
namespace file_bindings {

namespace fs = std::filesystem;

// What is there.

int exists(lua_State* L) {
  std::error_code ignored;
  return push(L, fs::exists(check_string(L, 1), ignored));
}
int is_file(lua_State* L) {
  std::error_code ignored;
  return push(L, fs::is_regular_file(check_string(L, 1), ignored));
}
int is_folder(lua_State* L) {
  std::error_code ignored;
  return push(L, fs::is_directory(check_string(L, 1), ignored));
}
int is_writable(lua_State* L) {
  return push(L, ::access(check_string(L, 1).c_str(), W_OK) == 0);
}
int free_mb(lua_State* L) {
  std::error_code problem;
  const fs::space_info space = fs::space(check_string(L, 1), problem);
  if (problem) throw Failure(code::kNotFound, check_string(L, 1) + ": " + problem.message());
  return push(L, static_cast<double>(space.available) / 1e6);
}
int size(lua_State* L) {
  return push(L, static_cast<double>(file_bytes(check_string(L, 1))));
}
int sha256(lua_State* L) {
  return push(L, sha256_file(check_string(L, 1)));
}
int list(lua_State* L) {
  return push(L, Json(list_files(check_string(L, 1), options<FileListOptions>(L, 2, "file.list"))));
}
int find(lua_State* L) {
  Json files = Json::array();
  for (const NamedFile& file : find_files(check_string(L, 1), check_string(L, 2))) {
    Json& entry = files.emplace_back(Json{{"path", file.path}});
    for (const auto& [name, text] : file.groups) entry[name] = text;
  }
  return push(L, files);
}

// Paths as text.

int join(lua_State* L) {
  fs::path path = check_string(L, 1);
  for (int i = 2; i <= lua_gettop(L); ++i) path /= check_string(L, i);
  return push(L, path.string());
}
int below(lua_State* L) {
  std::string path = check_string(L, 1);
  for (int i = 2; i <= lua_gettop(L); ++i) path = path_below(path, {check_string(L, i)});
  return push(L, path);
}
int name(lua_State* L) {
  return push(L, fs::path(check_string(L, 1)).filename().string());
}
int stem(lua_State* L) {
  return push(L, fs::path(check_string(L, 1)).stem().string());
}
int extension(lua_State* L) {
  const std::string dotted = fs::path(check_string(L, 1)).extension().string();
  return push(L, dotted.empty() ? dotted : dotted.substr(1));
}
int folder(lua_State* L) {
  const fs::path parent = fs::path(check_string(L, 1)).parent_path();
  return push(L, parent.empty() ? std::string(".") : parent.string());
}
int absolute(lua_State* L) {
  return push(L, fs::absolute(check_string(L, 1)).lexically_normal().string());
}

// Contents.

int read(lua_State* L) {
  return push(L, read_file(check_string(L, 1)));
}
int write(lua_State* L) {
  write_file_atomically(check_string(L, 1), check_string(L, 2));
  return push(L, true);
}
int make_folders(lua_State* L) {
  make_folder(check_string(L, 1));
  return push(L, true);
}
int remove(lua_State* L) {
  return push(L, remove_file(check_string(L, 1)));
}
int resource(lua_State* L) {
  return push(L, read_file(resource_folder(check_string(L, 1)) + "/" + check_string(L, 2)));
}

constexpr Binding kFunctions[] = {
    bind<exists>("exists", "file.exists(path) -> boolean", "Whether a file or folder of that name is there.",
                 "print(im.file.exists '/', im.file.exists '/no/such/file') --> true false"),
    bind<is_file>("is_file", "file.is_file(path) -> boolean", "Whether a file of that name is there.",
                  "print(im.file.is_file '/') --> false"),
    bind<is_folder>("is_folder", "file.is_folder(path) -> boolean", "Whether a folder of that name is there.",
                    "print(im.file.is_folder '/') --> true"),
    bind<is_writable>(
        "is_writable", "file.is_writable(path) -> boolean",
        "Whether this process may write the file, or into the folder; false where none is there.",
        "print(im.file.is_writable '/tmp') --> true"),
    bind<free_mb>(
        "free_mb", "file.free_mb(path) -> number",
        "Room that this process may fill on the disk of a file or folder, 10^6 bytes. Fails with not_found.",
        "print(im.file.free_mb '/tmp' > 0) --> true"),
    bind<size>(
        "size", "file.size(path) -> integer", "Bytes of a file. Failures: not_found, not_a_file, unreadable.",
        "local p = os.tmpname(); im.file.write(p, 'hello'); print(im.file.size(p)); os.remove(p) --> 5"),
    bind<sha256>(
        "sha256", "file.sha256(path) -> string",
        "SHA-256 of a file's bytes, 64 hexadecimal digits. Failures: not_found, not_a_file, unreadable.",
        "local p = os.tmpname(); im.file.write(p, 'abc'); print(im.file.sha256(p):sub(1, 8)); os.remove(p) "
        "--> ba7816bf"),
    bind<list>(
        "list", "file.list(folder [, options]) -> list of names",
        "Names of the files in a folder, relative to it and sorted; hidden ones are left out. Failures: "
        "not_found, unreadable.",
        "print(#im.file.list('.', { extensions = { 'no such ending' } })) --> 0",
        describe_options<FileListOptions>),
    bind<find>("find", "file.find(folder, pattern) -> list of {path, ...}",
               "Files in a folder and below whose path, relative to it, matches a regular expression "
               "(ECMAScript's) as a whole, in any case; sorted. Named groups, (?P<frame>\\d{4}) or "
               "(?<frame>\\d{4}), stand beside the path under their names, as text. Failures: not_found, "
               "unreadable.",
               "print(#im.file.find('.', [[no_such_(?P<frame>\\d{4})\\.jpg]])) --> 0"),
    bind<join>("join", "file.join(path, ...) -> string",
               "Parts of a path with one slash between them; an absolute part begins anew.",
               "print(im.file.join('runs/', 'demo', 'plan.json')) --> runs/demo/plan.json"),
    bind<below>("below", "file.below(root, part, ...) -> string",
                "The path of a file whose name comes out of other files: the root and the parts with slashes "
                "between them. Parts may have folders in them. Failures: bad_format for a part that would "
                "lead out of the root ('..', an absolute path) or is empty.",
                "print(im.file.below('out', 'vits16', 'L1/a.npy'), (im.file.below('out', '../a.npy'))) --> "
                "out/vits16/L1/a.npy nil"),
    bind<name>("name", "file.name(path) -> string", "The last part of a path.",
               "print(im.file.name 'photos/a.tar.gz') --> a.tar.gz"),
    bind<stem>("stem", "file.stem(path) -> string", "The last part of a path without its ending.",
               "print(im.file.stem 'photos/a.tar.gz') --> a.tar"),
    bind<extension>("extension", "file.extension(path) -> string",
                    "The ending of a path without the dot; empty where there is none.",
                    "print(im.file.extension 'photos/a.JPG') --> JPG"),
    bind<folder>("folder", "file.folder(path) -> string",
                 "What a path has before its last part; '.' where that is nothing.",
                 "print(im.file.folder 'photos/2024/a.jpg', im.file.folder 'a.jpg') --> photos/2024 ."),
    bind<absolute>("absolute", "file.absolute(path) -> string",
                   "The path from the root, without '.' and '..'; links stay.",
                   "print(im.file.absolute '/photos/./2024/../a.jpg') --> /photos/a.jpg"),
    bind<read>(
        "read", "file.read(path) -> string",
        "The bytes of a file. Failures: not_found, not_a_file, unreadable.",
        "local p = os.tmpname(); im.file.write(p, 'hello'); print(im.file.read(p)); os.remove(p) --> hello"),
    bind<write>("write", "file.write(path, bytes) -> true",
                "Writes a file whole or not at all: a reader sees the old one or the new one. Makes missing "
                "folders. Failures: unwritable, no_space.",
                "local p = os.tmpname(); print(im.file.write(p, 'hello')); os.remove(p) --> true"),
    bind<make_folders>("make_folder", "file.make_folder(path) -> true",
                       "Makes a folder and those above it that are missing. Failures: unwritable, no_space.",
                       "print(im.file.make_folder '/tmp') --> true"),
    bind<remove>("remove", "file.remove(path) -> boolean",
                 "Removes a file or an empty folder; false when there was none. Failures: unwritable.",
                 "print(im.file.remove '/tmp/imatch_no_such_file') --> false"),
    bind<resource>(
        "resource", "file.resource(kind, name) -> string",
        "A file that came with the program: kind 'lua', 'experiments', 'weights' or 'js'. Failures: "
        "not_found.",
        "print(im.file.resource('lua', 'imatch/report/report.css'):match 'font' ) --> font"),
};

}  // namespace file_bindings

extern const Module file_module;
const Module file_module{"file", "Files, folders and paths.", file_bindings::kFunctions};

}  // namespace imatch::host
