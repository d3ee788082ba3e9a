// SPDX-License-Identifier: Apache-2.0
#include "input_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/sha256.h"
#include "guard.h"
#include "source.h"
#include "stack.h"
#include "sweep/input_hash.h"

namespace imatch::host {
namespace {

namespace fs = std::filesystem;

/// Smaller files are hashed when they are read: a script may remove them before it sweeps.
constexpr std::uintmax_t kHashedAtOnceBytes = 1 << 20;

/// Size and time of modification; "" when there is no such file.
std::string state_of(const std::string& path) {
  std::error_code missing;
  const auto size = fs::file_size(path, missing);
  if (missing) return "";
  return fmt::format("{} {}", size, fs::last_write_time(path, missing).time_since_epoch().count());
}

/// Calls the function that the running one stands for, with the arguments as they are.
int call_original(lua_State* L) {
  const int num_args = lua_gettop(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, num_args, LUA_MULTRET);
  return lua_gettop(L);
}

int getenv_noted(lua_State* L) {
  if (lua_type(L, 1) == LUA_TSTRING && !library_calls(L)) input_log().environment(lua_tostring(L, 1));
  return call_original(L);
}

/// io.open and io.lines: reading counts, also of a file that is not there; writing and appending do not.
int open_noted(lua_State* L) {
  const char* mode = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "r";
  const bool appends = mode[0] == 'a' && std::strchr(mode, '+') == nullptr;
  if (lua_type(L, 1) == LUA_TSTRING && mode[0] != 'w' && !appends && !library_calls(L))
    input_log().data_file(lua_tostring(L, 1));
  return call_original(L);
}

template <lua_CFunction fn>
void replace(lua_State* L, const char* table, const char* name) {
  lua_getglobal(L, table);
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, guarded<fn>, 1);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

}  // namespace

bool library_calls(lua_State* L) {
  lua_Debug caller;
  for (int level = 0; lua_getstack(L, level, &caller); ++level) {
    lua_getinfo(L, "S", &caller);
    if (*caller.what != 'C') return caller.source[0] == '@' && is_library(caller.source + 1);
  }
  return false;
}

void InputLog::note(Entry entry) {
  std::vector<Entry>& entries = measuring_ ? measuring_cells_ : before_;
  const auto is_same = [&](const Entry& other) {
    return other.input.kind == entry.input.kind && other.input.name == entry.input.name &&
           other.input.sha256 == entry.input.sha256 && other.state == entry.state;
  };
  if (std::none_of(entries.begin(), entries.end(), is_same)) entries.push_back(std::move(entry));
}

bool InputLog::set_measuring(bool measuring) {
  if (measuring && !measuring_)
    measuring_since_ = fs::file_time_type::clock::now() - std::chrono::milliseconds(20);
  return std::exchange(measuring_, measuring);
}

bool InputLog::is_covered(const std::string& path) const {
  for (fs::path part = path; !part.empty() && part != part.parent_path(); part = part.parent_path())
    if (covered_.contains(part.string())) return true;
  return false;
}

void InputLog::file(const char* kind, const std::string& path) {
  std::error_code missing;
  const std::string state = state_of(path);
  // What is written while cells are measured is taken for their own work; whether it is there depends on
  // them.
  if (measuring_ &&
      (state.empty() || is_covered(path) || fs::last_write_time(path, missing) >= measuring_since_))
    return;
  if (state.empty() || !fs::is_regular_file(path, missing))
    return note({{kind, path, "absent"}, ""});  // a folder or a device is no input either
  if (fs::file_size(path, missing) > kHashedAtOnceBytes) return note({{kind, path, ""}, state});
  try {
    note({{kind, path, sha256_file(path)}, ""});
  } catch (const Failure&) {  // whoever reads it will say so
    note({{kind, path, "absent"}, ""});
  }
}

void InputLog::text(const std::string& name, const std::string& code) {
  // Each time: code acts each time.
  if (!measuring_) before_.push_back({{"text", name, sha256_hex(code)}, ""});
}

void InputLog::environment(const std::string& name) {
  note({input_now("environment", name), ""});
}

std::vector<Input> InputLog::hashed(std::vector<Entry>& entries) {
  std::vector<Input> list;
  for (Entry& entry : entries) {
    if (!entry.state.empty())
      entry.input.sha256 =
          state_of(entry.input.name) == entry.state ? hash_of_path(entry.input.name) : "changed";
    list.push_back(entry.input);
  }
  return list;
}

InputLog& input_log() {
  static InputLog log;
  return log;
}

Input input_now(const std::string& kind, const std::string& name) {
  if (kind == "environment") {
    const char* value = std::getenv(name.c_str());
    return {kind, name, value ? sha256_hex(value) : "absent"};
  }
  std::error_code missing;
  return {kind, name, fs::is_regular_file(name, missing) ? hash_of_path(name) : "absent"};
}

void note_what_lua_reads(lua_State* L) {
  replace<getenv_noted>(L, "os", "getenv");
  replace<open_noted>(L, "io", "open");
  replace<open_noted>(L, "io", "lines");
}

}  // namespace imatch::host
