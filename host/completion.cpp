// SPDX-License-Identifier: Apache-2.0
#include "completion.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "binding.h"

namespace imatch::host {
namespace {

namespace fs = std::filesystem;

const char* const kKeywords[] = {"and", "break",    "do",     "else", "elseif", "end",   "false",
                                 "for", "function", "if",     "in",   "local",  "nil",   "not",
                                 "or",  "repeat",   "return", "then", "true",   "until", "while"};

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

/// Position just behind the quote that is open at the end of the line, or npos.
std::size_t open_string(std::string_view line) {
  char quote = 0;
  std::size_t start = std::string_view::npos;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quote && line[i] == '\\')
      ++i;
    else if (quote && line[i] == quote)
      quote = 0, start = std::string_view::npos;
    else if (!quote && (line[i] == '"' || line[i] == '\''))
      quote = line[i], start = i + 1;
  }
  return start;
}

Completions complete_file(std::string_view line, std::size_t start) {
  const std::string typed(line.substr(start));
  const std::size_t slash = typed.rfind('/');
  const std::string shown = slash == std::string::npos ? "" : typed.substr(0, slash + 1);
  const std::string beginning = typed.substr(shown.size());
  std::string folder = shown.empty() ? "." : shown;
  if (const char* home = std::getenv("HOME"); home && folder.rfind("~/", 0) == 0)
    folder = home + folder.substr(1);
  std::set<std::string> words;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.rfind(beginning, 0) != 0 || (name[0] == '.' && beginning.empty())) continue;
    std::error_code ignored;
    words.insert(shown + name + (it->is_directory(ignored) ? "/" : ""));
  }
  return {start, {words.begin(), words.end()}};
}

/// Adds the string keys of the table on top of the stack that begin with `beginning`.
void add_keys(lua_State* L, const std::string& beginning, bool only_functions, std::set<std::string>& words) {
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING) continue;
    const std::string key = lua_tostring(L, -2);
    const bool callable = lua_isfunction(L, -1);
    if (key.rfind(beginning, 0) != 0 || (only_functions && !callable)) continue;
    if (!std::all_of(key.begin(), key.end(), is_word)) continue;
    if (key.rfind("__", 0) == 0 && beginning.empty()) continue;
    words.insert(callable ? key + "(" : key);
  }
}

/// Keys of the value on top of the stack, its own and those of __index tables above it.
void add_fields(lua_State* L, const std::string& beginning, bool only_functions,
                std::set<std::string>& words) {
  const int top = lua_gettop(L);
  for (int depth = 0; depth < 10; ++depth) {
    if (lua_istable(L, -1)) add_keys(L, beginning, only_functions, words);
    if (!lua_getmetatable(L, -1)) break;
    lua_pushliteral(L, "__index");
    lua_rawget(L, -2);
    lua_remove(L, -2);
    if (!lua_istable(L, -1)) break;
  }
  lua_settop(L, top);
}

/// Replaces the value on top of the stack by its field, through __index tables but without calling anything.
bool descend(lua_State* L, const std::string& name) {
  for (int depth = 0; depth < 10; ++depth) {
    if (lua_istable(L, -1)) {
      push(L, name);
      lua_rawget(L, -2);
      if (!lua_isnil(L, -1)) return lua_remove(L, -2), true;
      lua_pop(L, 1);
    }
    if (!lua_getmetatable(L, -1)) return false;
    lua_pushliteral(L, "__index");
    lua_rawget(L, -2);
    lua_remove(L, -2);
    lua_remove(L, -2);
    if (!lua_istable(L, -1)) return false;
  }
  return false;
}

}  // namespace

Completions complete(lua_State* L, std::string_view line) {
  if (const std::size_t start = open_string(line); start != std::string_view::npos)
    return complete_file(line, start);

  std::size_t start = line.size();
  while (start > 0 && is_word(line[start - 1])) --start;
  const std::string beginning(line.substr(start));

  // The path before the word, read backwards: name.name.name: or name.name.
  std::vector<std::string> path;
  bool method = false;
  std::size_t end = start;
  while (end > 0 && (line[end - 1] == '.' || (line[end - 1] == ':' && end == start))) {
    if (line[end - 1] == ':') method = true;
    std::size_t from = end - 1;
    while (from > 0 && is_word(line[from - 1])) --from;
    if (from == end - 1) return {start, {}};
    path.insert(path.begin(), std::string(line.substr(from, end - 1 - from)));
    end = from;
  }

  const int top = lua_gettop(L);
  luaL_checkstack(L, 10, "completion");
  std::set<std::string> words;
  lua_pushvalue(L, LUA_GLOBALSINDEX);
  bool found = true;
  for (const std::string& name : path) found = found && descend(L, name);
  if (found) add_fields(L, beginning, method, words);
  lua_settop(L, top);
  if (path.empty() && !beginning.empty())
    for (const char* keyword : kKeywords)
      if (std::string_view(keyword).substr(0, beginning.size()) == beginning) words.insert(keyword);
  return {start, {words.begin(), words.end()}};
}

std::string common_beginning(const std::vector<std::string>& words) {
  if (words.empty()) return "";
  std::string shared = words.front();
  for (const std::string& word : words) {
    const auto [a, b] = std::mismatch(shared.begin(), shared.end(), word.begin(), word.end());
    shared.erase(a, shared.end());
  }
  return shared;
}

}  // namespace imatch::host
