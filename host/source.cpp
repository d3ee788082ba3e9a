// SPDX-License-Identifier: Apache-2.0
#include "source.h"

#include <filesystem>

#include "base/resources.h"
#include "stack.h"

namespace imatch::host {
namespace {

namespace fs = std::filesystem;

/// Folder of the script, absolute, with a slash at the end; "" before there is one.
std::string& script_folder() {
  static std::string folder;
  return folder;
}

bool is_below(std::string_view path, std::string_view folder) {
  return path.substr(0, folder.size()) == folder;
}

std::string patterns(const std::string& folder) {
  return folder + "/?.lua;" + folder + "/?/init.lua;";
}

}  // namespace

bool is_library(std::string_view path) {
  static const std::string library = resource_folder("lua") + "/";
  return is_below(path, library);
}

bool is_user_code(std::string_view source) {
  if (source == "=stdin" || source == "=(-e)") return true;
  if (source.empty() || source[0] != '@' || script_folder().empty()) return false;
  const std::string path = fs::absolute(source.substr(1)).lexically_normal().string();
  return is_below(path, script_folder()) && !is_library(path) && path.find("/lua_modules/") == path.npos &&
         path.find("/.luarocks/") == path.npos;
}

void begin_script(lua_State* L, const std::string& path) {
  const std::string folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path().string() : ".";
  script_folder() = (fs::absolute(folder).lexically_normal() / "").string();
  const std::string library = patterns(resource_folder("lua"));
  const std::string rocks = folder + "/lua_modules/";
  lua_getglobal(L, "package");
  for (const auto& [field, own, last] :
       {std::tuple{"path", patterns(folder), patterns(rocks + "share/lua/5.1")},
        std::tuple{"cpath", folder + "/?.so;", rocks + "lib/lua/5.1/?.so;"}}) {
    lua_getfield(L, -1, field);
    const std::string now = lua_tostring(L, -1);
    const std::size_t behind = is_below(now, library) ? library.size() : 0;
    push(L, now.substr(0, behind) + own + now.substr(behind) + ";" + last);
    lua_setfield(L, -3, field);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

void push_where(lua_State* L) {
  lua_Debug entry;
  int nearest = 0;
  for (int level = 1; lua_getstack(L, level, &entry); ++level) {
    lua_getinfo(L, "Sl", &entry);
    if (entry.currentline <= 0) continue;
    if (nearest == 0) nearest = level;
    if (entry.source[0] == '@' && is_library(entry.source + 1)) continue;
    nearest = level;
    break;
  }
  luaL_where(L, nearest);
}

}  // namespace imatch::host
