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

/// The names before position `end`, read backwards: name.name.name: or name.name. The separators at the end
/// count.
struct Path {
  std::vector<std::string> names;
  bool is_method = false;
  bool is_whole = true;  ///< False where something else than names stands before, a call for instance.
};

Path path_before(std::string_view text, std::size_t end) {
  Path path;
  const std::size_t start = end;
  while (end > 0 && (text[end - 1] == '.' || (text[end - 1] == ':' && end == start))) {
    if (text[end - 1] == ':') path.is_method = true;
    std::size_t from = end - 1;
    while (from > 0 && is_word(text[from - 1])) --from;
    if (from == end - 1) return {{}, path.is_method, false};
    path.names.insert(path.names.begin(), std::string(text.substr(from, end - 1 - from)));
    end = from;
  }
  return path;
}

/// Pushes the value that the path leads to from the environment or the globals, and returns true.
bool push_value(lua_State* L, const std::vector<std::string>& path, int environment) {
  for (const int root : {environment, LUA_GLOBALSINDEX}) {
    if (root == 0) continue;
    lua_pushvalue(L, root);
    bool found = true;
    for (const std::string& name : path) found = found && descend(L, name);
    if (found) return true;
    lua_pop(L, 1);
  }
  return false;
}

std::size_t skip_spaces_back(std::string_view text, std::size_t end) {
  while (end > 0 && std::isspace(static_cast<unsigned char>(text[end - 1]))) --end;
  return end;
}

/// Position of the innermost bracket that is open at `end`, or npos. Quotes are skipped.
std::size_t open_bracket(std::string_view text, std::size_t end) {
  std::vector<std::size_t> open;
  char quote = 0;
  for (std::size_t i = 0; i < end; ++i) {
    if (quote) {
      if (text[i] == '\\')
        ++i;
      else if (text[i] == quote)
        quote = 0;
    } else if (text[i] == '"' || text[i] == '\'') {
      quote = text[i];
    } else if (text[i] == '(' || text[i] == '{' || text[i] == '[') {
      open.push_back(i);
    } else if ((text[i] == ')' || text[i] == '}' || text[i] == ']') && !open.empty()) {
      open.pop_back();
    }
  }
  return open.empty() ? std::string_view::npos : open.back();
}

/// Adds the option names of the call in whose table the word at `start` stands as a key.
void add_options(lua_State* L, std::string_view text, std::size_t start, int environment,
                 const std::string& beginning, std::set<std::string>& words) {
  const std::size_t brace = open_bracket(text, start);
  if (brace == std::string_view::npos || text[brace] != '{') return;
  const std::size_t before = skip_spaces_back(text, start);
  if (text[before - 1] != '{' && text[before - 1] != ',' && text[before - 1] != ';') return;
  // f { ... }, or f(a, b, { ... })
  std::size_t end = skip_spaces_back(text, brace);
  if (end > 0 && !is_word(text[end - 1])) {
    const std::size_t call = open_bracket(text, brace);
    if (call == std::string_view::npos || text[call] != '(') return;
    end = skip_spaces_back(text, call);
  }
  std::size_t name = end;
  while (name > 0 && is_word(text[name - 1])) --name;
  if (name == end) return;
  Path path = path_before(text, name);
  if (!path.is_whole) return;
  path.names.emplace_back(text.substr(name, end - name));
  const int top = lua_gettop(L);
  if (push_value(L, path.names, environment) && lua_isfunction(L, -1)) {
    lua_getglobal(L, "require");
    push(L, "imatch.doc");
    if (lua_pcall(L, 1, 1, 0) == 0) {
      lua_getfield(L, -1, "option_names");
      lua_pushvalue(L, top + 1);
      if (lua_pcall(L, 1, 1, 0) == 0 && lua_istable(L, -1))
        for (int i = 1; lua_rawgeti(L, -1, i), lua_isstring(L, -1); lua_pop(L, 1), ++i)
          if (const std::string option = lua_tostring(L, -1); option.rfind(beginning, 0) == 0)
            words.insert(option + " = ");
    }
  }
  lua_settop(L, top);
}

}  // namespace

Completions complete(lua_State* L, std::string_view text, int environment) {
  const std::size_t line = text.rfind('\n') == std::string_view::npos ? 0 : text.rfind('\n') + 1;
  if (const std::size_t start = open_string(text.substr(line)); start != std::string_view::npos) {
    Completions files = complete_file(text.substr(line), start);
    files.start += line;
    return files;
  }

  std::size_t start = text.size();
  while (start > line && is_word(text[start - 1])) --start;
  const std::string beginning(text.substr(start));
  const Path path = path_before(text, start);
  if (!path.is_whole) return {start, {}};

  const int top = lua_gettop(L);
  luaL_checkstack(L, 20, "completion");
  std::set<std::string> words;
  if (path.names.empty()) add_options(L, text, start, environment, beginning, words);
  const bool has_options = !words.empty();
  if (!has_options && path.names.empty() && environment != 0) {
    lua_pushvalue(L, environment);
    add_fields(L, beginning, false, words);
  }
  if (!has_options && push_value(L, path.names, environment)) add_fields(L, beginning, path.is_method, words);
  lua_settop(L, top);
  if (!has_options && path.names.empty() && !beginning.empty())
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
