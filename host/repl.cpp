// SPDX-License-Identifier: Apache-2.0
#include "repl.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "base/interrupt_note.h"
#include "base/stop_notice.h"
#include "base/version.h"
#include "editor.h"
#include "session.h"
#include "stack.h"

namespace imatch::host {
namespace {

/// `$ command`: by the shell; `$ cd FOLDER` moves this process.
void run_shell(const std::string& command) {
  const auto begin = command.find_first_not_of(" \t");
  const std::string text = begin == std::string::npos ? "" : command.substr(begin);
  std::fflush(stdout);
  if (text.rfind("cd", 0) == 0 && (text.size() == 2 || text[2] == ' ')) {
    const char* home = std::getenv("HOME");
    const auto from = text.find_first_not_of(' ', 2);
    const std::string folder = from == std::string::npos ? (home ? home : "/") : text.substr(from);
    if (::chdir(folder.c_str()) != 0)
      std::fprintf(stderr, "cd: %s: %s\n", folder.c_str(), std::strerror(errno));
    return;
  }
  Editor::mark_pastes(false);
  const int status = std::system(text.c_str());
  Editor::mark_pastes(true);
  if (status != 0 && WIFEXITED(status)) std::fprintf(stderr, "exit status %d\n", WEXITSTATUS(status));
}

void evaluate(lua_State* L, Session& session, bool quiet) {
  const int base = lua_gettop(L) - 1;
  const auto [outcome, count, ms] = session.run();
  const std::string note = take_interrupt_note();
  if (outcome.signal)
    std::fprintf(stderr, "interrupted%s%s\n", note.empty() ? "" : "; ", note.c_str());
  else if (!outcome.ok)
    std::fprintf(stderr, "%s\n", outcome.message.c_str());
  else if (count > 0 && !quiet)
    session.call_library("imatch.inspect", "print", count);
  lua_settop(L, base);
  if (ms >= 0.05)
    fmt::print("-- {}\n", ms < 1000 ? fmt::format("{:.1f} ms", ms) : fmt::format("{:.2f} s", ms / 1000));
}

/// `quit` and `exit`, unless there is a variable of that name.
bool leaves(const Session& session, std::string word) {
  if (word.ends_with("()")) word.resize(word.size() - 2);
  return (word == "quit" || word == "exit") && !session.has(word);
}

/// What is no Lua: `?name`, `help`, `$ command`. False when the text is none of these.
bool run_special(lua_State* L, Session& session, const std::string& text) {
  if ((text == "help" || text == "help()") && !session.has("help")) {
    session.call_library("imatch.commands", "print_help", 0);
  } else if (text[0] == '?') {
    push(L, text.substr(1));
    session.call_library("imatch.doc", "print", 1);
  } else if (text[0] == '$') {
    run_shell(text.substr(1));
  } else {
    return false;
  }
  return true;
}

void trim_right(std::string& text) {
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
}

}  // namespace

int run_repl(lua_State* L, bool inside_script) {
  std::setlocale(LC_CTYPE, "");
  const PatientStop patient;  // Ctrl-C ends a statement, not the session
  Session session(L, inside_script);
  if (inside_script)
    fmt::print("The script waits; its local variables are here. Ctrl-D goes on with it.\n");
  else
    fmt::print(
        "imatch-lua {}. 'im' is the library, ?name explains, help lists, Tab completes, quit or Ctrl-D "
        "leaves.\n",
        program_version());

  Editor editor(L, session.variables());
  for (std::string text;;) {
    bool interrupted = false;
    const std::optional<std::string> line = editor.read(text.empty() ? "> " : ">> ", text, &interrupted);
    if (interrupted) {
      text.clear();
      continue;
    }
    if (!line) break;
    text += (text.empty() ? "" : "\n") + *line;
    std::string code = text;
    trim_right(code);
    if (code.empty()) {
      text.clear();
      continue;
    }
    if (leaves(session, code)) return 0;
    if (run_special(L, session, code)) {
      editor.remember(text);
      text.clear();
      continue;
    }
    const bool quiet = code.back() == ';';
    while (!code.empty() && code.back() == ';') code.pop_back();
    const Session::Loaded loaded = session.load(code);
    if (loaded == Session::Loaded::kIncomplete) {
      lua_pop(L, 1);
      continue;
    }
    editor.remember(text);
    text.clear();
    if (loaded == Session::Loaded::kYes) {
      evaluate(L, session, quiet);
    } else {
      std::fprintf(stderr, "%s\n", text_of(L, -1).c_str());
      lua_pop(L, 1);
    }
  }
  std::fputs("\n", stdout);
  return 0;
}

}  // namespace imatch::host
