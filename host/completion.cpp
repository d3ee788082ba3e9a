// SPDX-License-Identifier: Apache-2.0
#include "completion.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>
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

/// A name, or an item of a list where `index` is not 0.
struct Step {
  std::string name;
  int index = 0;
};

/// Replaces the value on top of the stack by what the step leads to, through __index tables but without
/// calling anything.
bool descend(lua_State* L, const Step& step) {
  for (int depth = 0; depth < 10; ++depth) {
    if (lua_istable(L, -1)) {
      if (step.index != 0) {
        lua_rawgeti(L, -1, step.index);
      } else {
        push(L, step.name);
        lua_rawget(L, -2);
      }
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

/// What stands before position `end`, read backwards: name.name[1]: or name.name. The separators at the end
/// count.
struct Path {
  std::vector<Step> steps;
  bool is_method = false;
  bool is_whole = true;  ///< False where something else than names stands before, a call for instance.
};

/// What stands in brackets as a step: a number or a text in quotes.
std::optional<Step> step_of(std::string_view inside) {
  if (inside.size() >= 2 && (inside[0] == '"' || inside[0] == '\'') && inside.back() == inside[0])
    return Step{std::string(inside.substr(1, inside.size() - 2)), 0};
  Step step;
  const auto [stop, error] = std::from_chars(inside.data(), inside.data() + inside.size(), step.index);
  if (error != std::errc() || stop != inside.data() + inside.size()) return std::nullopt;
  return step;
}

Path path_before(std::string_view text, std::size_t end) {
  Path path;
  const std::size_t start = end;
  const auto broken = [&] { return Path{{}, path.is_method, false}; };
  while (end > 0 && (text[end - 1] == '.' || (text[end - 1] == ':' && end == start))) {
    if (text[end - 1] == ':') path.is_method = true;
    std::size_t from = end - 1;
    while (from > 0 && text[from - 1] == ']') {
      const std::size_t open = text.rfind('[', from - 1);
      if (open == text.npos) return broken();
      const auto step = step_of(text.substr(open + 1, from - open - 2));
      if (!step) return broken();
      path.steps.insert(path.steps.begin(), *step);
      from = open;
    }
    const std::size_t name_end = from;
    while (from > 0 && is_word(text[from - 1])) --from;
    if (from == name_end) return broken();
    path.steps.insert(path.steps.begin(), {std::string(text.substr(from, name_end - from)), 0});
    end = from;
  }
  return path;
}

/// Pushes the value that the path leads to from the environment or the globals, and returns true.
bool push_value(lua_State* L, const std::vector<Step>& path, int environment) {
  for (const int root : {environment, LUA_GLOBALSINDEX}) {
    if (root == 0) continue;
    lua_pushvalue(L, root);
    bool found = true;
    for (const Step& step : path) found = found && descend(L, step);
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

/// The call that is open at a position.
struct Call {
  Path function;
  std::size_t arguments = 0;  ///< Where they begin.
};

/// The function whose name ends at `end`.
std::optional<Call> call_of(std::string_view text, std::size_t end, std::size_t arguments) {
  end = skip_spaces_back(text, end);
  std::size_t name = end;
  while (name > 0 && is_word(text[name - 1])) --name;
  if (name == end) return std::nullopt;
  Call call{path_before(text, name), arguments};
  if (!call.function.is_whole) return std::nullopt;
  call.function.steps.push_back({std::string(text.substr(name, end - name)), 0});
  return call;
}

/// The call in whose table of options `brace` opens: f { ... }, or f(a, b, { ... }).
std::optional<Call> call_around(std::string_view text, std::size_t brace) {
  if (auto call = call_of(text, brace, brace)) return call;
  const std::size_t parenthesis = open_bracket(text, brace);
  if (parenthesis == text.npos || text[parenthesis] != '(') return std::nullopt;
  return call_of(text, parenthesis, parenthesis + 1);
}

/// The list that imatch.completion's function `name` gives for the called function and what `push_more`
/// pushes; nothing where it gives none.
template <class Push>
std::optional<std::vector<std::string>> ask_library(lua_State* L, const Call& call, int environment,
                                                    const char* name, Push push_more) {
  std::optional<std::vector<std::string>> list;
  const int top = lua_gettop(L);
  if (push_value(L, call.function.steps, environment) && lua_isfunction(L, -1)) {
    lua_getglobal(L, "require");
    push(L, "imatch.completion");
    if (lua_pcall(L, 1, 1, 0) == 0) {
      lua_getfield(L, -1, name);
      lua_pushvalue(L, top + 1);
      const int more = push_more();
      if (lua_pcall(L, 1 + more, 1, 0) == 0 && lua_istable(L, -1)) {
        list.emplace();
        for (int i = 1; lua_rawgeti(L, -1, i), lua_isstring(L, -1); lua_pop(L, 1), ++i)
          list->emplace_back(lua_tostring(L, -1));
      }
    }
  }
  lua_settop(L, top);
  return list;
}

/// Adds the option names of the call in whose table the word at `start` stands as a key.
void add_options(lua_State* L, std::string_view text, std::size_t start, int environment,
                 const std::string& beginning, std::set<std::string>& words) {
  const std::size_t brace = open_bracket(text, start);
  if (brace == std::string_view::npos || text[brace] != '{') return;
  const std::size_t before = skip_spaces_back(text, start);
  if (text[before - 1] != '{' && text[before - 1] != ',' && text[before - 1] != ';') return;
  const auto call = call_around(text, brace);
  if (!call) return;
  const auto names = ask_library(L, *call, environment, "options", [&] {
    return push(L, text.substr(call->arguments, brace - call->arguments));
  });
  for (const std::string& option : names.value_or(std::vector<std::string>()))
    if (option.rfind(beginning, 0) == 0) words.insert(option + " = ");
}

/// The whole texts that may stand between the quotes that open before `start`: names of backbones, choices of
/// an option. Nothing where any text may, such as that of a file.
std::optional<Completions> complete_text(lua_State* L, std::string_view text, std::size_t start,
                                         int environment) {
  const std::size_t quote = start - 1;
  std::optional<Call> call = call_of(text, quote, quote);  // f "..."
  int argument = 1;
  std::string option;
  if (const std::size_t bracket = open_bracket(text, quote); !call && bracket != text.npos) {
    if (text[bracket] == '(') {
      call = call_of(text, bracket, bracket + 1);
      for (std::size_t i = bracket + 1; i < quote; ++i)
        if (text[i] == ',' && open_bracket(text, i) == bracket) ++argument;
    } else if (text[bracket] == '{') {
      call = call_around(text, bracket);
      const std::size_t equals = skip_spaces_back(text, quote);
      if (equals == 0 || text[equals - 1] != '=') return std::nullopt;
      const std::size_t end = skip_spaces_back(text, equals - 1);
      std::size_t from = end;
      while (from > 0 && is_word(text[from - 1])) --from;
      option = text.substr(from, end - from);
    }
  }
  if (!call) return std::nullopt;
  const std::string_view typed = text.substr(start);
  const auto choices = ask_library(L, *call, environment, "texts", [&] {
    option.empty() ? push(L, argument) : push(L, option);
    push(L, text.substr(std::min(call->arguments, quote), quote - std::min(call->arguments, quote)));
    push(L, typed);
    return 3;
  });
  if (!choices) return std::nullopt;
  Completions found{start, {}};
  for (const std::string& choice : *choices)
    if (choice.rfind(typed, 0) == 0) found.words.push_back(choice);
  std::sort(found.words.begin(), found.words.end());
  return found;
}

}  // namespace

Completions complete(lua_State* L, std::string_view text, int environment) {
  luaL_checkstack(L, 20, "completion");
  const std::size_t line = text.rfind('\n') == std::string_view::npos ? 0 : text.rfind('\n') + 1;
  if (const std::size_t start = open_string(text.substr(line)); start != std::string_view::npos) {
    if (auto texts = complete_text(L, text, line + start, environment)) return *texts;
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
  std::set<std::string> words;
  const bool is_variable = path.steps.empty();
  if (is_variable) add_options(L, text, start, environment, beginning, words);
  if (words.empty() && is_variable) {
    for (const int variables : {environment, LUA_GLOBALSINDEX}) {
      if (variables == 0) continue;
      lua_pushvalue(L, variables);
      add_fields(L, beginning, false, words);
    }
    for (const char* keyword : kKeywords)
      if (!beginning.empty() && std::string_view(keyword).substr(0, beginning.size()) == beginning)
        words.insert(keyword);
  } else if (words.empty() && push_value(L, path.steps, environment)) {
    add_fields(L, beginning, path.is_method, words);
  }
  lua_settop(L, top);
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
