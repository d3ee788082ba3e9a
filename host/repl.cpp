// SPDX-License-Identifier: Apache-2.0
#include "repl.h"

#include <fmt/format.h>
#include <histedit.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/spelling.h"
#include "base/version.h"
#include "completion.h"
#include "guard.h"
#include "interrupt.h"
#include "stack.h"
#include "state.h"

namespace imatch::host {
namespace {

constexpr int kHistorySize = 10000;
// Terminals put these around what is pasted once they are asked to.
constexpr const char* kPasteOn = "\x1b[?2004h";
constexpr const char* kPasteOff = "\x1b[?2004l";
constexpr std::string_view kPasteEnd = "\x1b[201~";

void mark_pastes(bool on) {
  if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) return;
  std::fputs(on ? kPasteOn : kPasteOff, stdout);
  std::fflush(stdout);
}

/// A line editor on the terminal: history in the user's state folder, Tab completes, Alt-Enter begins another
/// line, pasted lines are taken as they are.
class Editor {
 public:
  Editor(lua_State* L, int environment)
      : lua_(L),
        environment_(environment),
        history_(history_init()),
        editor_(el_init("imatch-lua", stdin, stdout, stderr)) {
    HistEvent event;
    history(history_, &event, H_SETSIZE, kHistorySize);
    history(history_, &event, H_SETUNIQUE, 1);
    history_file_ = user_state_folder() + "/history";
    try {
      make_folder(user_state_folder());
      history(history_, &event, H_LOAD, history_file_.c_str());
    } catch (const Failure&) {
      history_file_.clear();  // a home that cannot be written to must not keep anybody from working
    }
    el_set(editor_, EL_CLIENTDATA, this);
    el_set(editor_, EL_PROMPT, &Editor::prompt);
    el_set(editor_, EL_EDITOR, "emacs");
    el_set(editor_, EL_HIST, history, history_);
    el_set(editor_, EL_ADDFN, "imatch-complete", "Complete the word", &Editor::on_tab);
    el_set(editor_, EL_BIND, "^I", "imatch-complete", nullptr);
    el_set(editor_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    el_set(editor_, EL_ADDFN, "imatch-newline", "Begin another line", &Editor::on_newline);
    for (const char* alt_enter : {"^[^M", "^[^J"})
      el_set(editor_, EL_BIND, alt_enter, "imatch-newline", nullptr);
    el_set(editor_, EL_ADDFN, "imatch-paste", "Take what is pasted", &Editor::on_paste);
    el_set(editor_, EL_BIND, "^[[200~", "imatch-paste", nullptr);
    el_source(editor_, nullptr);
    mark_pastes(true);
  }
  ~Editor() {
    mark_pastes(false);
    el_end(editor_);
    history_end(history_);
  }
  Editor(const Editor&) = delete;
  Editor& operator=(const Editor&) = delete;

  /// The next line without its newline; nothing at the end of input. Sets `interrupted` when Ctrl-C was
  /// pressed. `before` is what was typed of the statement in earlier lines.
  std::optional<std::string> read(const char* prompt_text, const std::string& before, bool* interrupted) {
    prompt_ = prompt_text;
    before_ = before;
    *interrupted = false;
    if (const auto end = pasted_.find('\n'); end != std::string::npos) {
      const std::string line = pasted_.substr(0, end);
      pasted_.erase(0, end + 1);
      fmt::print("{}{}\n", prompt_, line);
      return line;
    }
    if (!pasted_.empty()) el_push(editor_, pasted_.c_str());
    pasted_.clear();
    int length = 0;
    errno = 0;
    const char* line = el_gets(editor_, &length);
    *interrupted = clear_interrupt(lua_) != 0;
    if (*interrupted) {
      pasted_.clear();
      el_reset(editor_);
      std::fputs("\n", stdout);
      return "";
    }
    if (!line || length <= 0) return std::nullopt;
    std::string text(line, static_cast<std::size_t>(length));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return text;
  }

  void remember(const std::string& text) {
    if (text.empty()) return;
    HistEvent event;
    history(history_, &event, H_ENTER, text.c_str());
    if (!history_file_.empty()) history(history_, &event, H_SAVE, history_file_.c_str());
  }

 private:
  static Editor& self(EditLine* editor) {
    Editor* instance = nullptr;
    el_get(editor, EL_CLIENTDATA, &instance);
    return *instance;
  }
  static const char* prompt(EditLine* editor) { return self(editor).prompt_; }
  static unsigned char on_tab(EditLine* editor, int) { return self(editor).complete_word(); }
  static unsigned char on_newline(EditLine* editor, int) {
    el_insertstr(editor, "\n");
    return CC_REFRESH;
  }
  static unsigned char on_paste(EditLine* editor, int) { return self(editor).take_paste(); }

  /// The first pasted line ends the one at hand; the others wait for read().
  unsigned char take_paste() {
    std::string text;
    char c = 0;
    while (el_getc(editor_, &c) == 1) {
      text += c == '\r' ? '\n' : c;
      if (text.size() >= kPasteEnd.size() &&
          text.compare(text.size() - kPasteEnd.size(), kPasteEnd.size(), kPasteEnd) == 0)
        break;
    }
    if (text.size() >= kPasteEnd.size()) text.resize(text.size() - kPasteEnd.size());
    const auto end = text.find('\n');
    el_insertstr(editor_, text.substr(0, end).c_str());
    if (end == std::string::npos) return CC_REFRESH;
    pasted_ = text.substr(end + 1);
    std::fputs("\n", stdout);
    return CC_NEWLINE;
  }

  unsigned char complete_word() {
    const LineInfo* info = el_line(editor_);
    const std::string before(info->buffer, info->cursor);
    if (before.find_first_not_of(" \t") == std::string::npos) {
      el_insertstr(editor_, "  ");
      return CC_REFRESH;
    }
    const std::string earlier = before_.empty() ? "" : before_ + "\n";
    const Completions found = complete(lua_, earlier + before, environment_);
    const std::string shared = common_beginning(found.words);
    const std::string typed = (earlier + before).substr(found.start);
    if (shared.size() > typed.size()) {
      el_insertstr(editor_, shared.substr(typed.size()).c_str());
      return CC_REFRESH;
    }
    if (found.words.size() < 2) return CC_REFRESH_BEEP;
    show(found.words);
    return CC_REDISPLAY;
  }

  /// All choices below the line, in columns.
  static void show(const std::vector<std::string>& words) {
    std::size_t widest = 0;
    for (const std::string& word : words) widest = std::max(widest, word.size());
    const std::size_t columns = std::max<std::size_t>(1, 80 / (widest + 2));
    std::fputs("\n", stdout);
    for (std::size_t i = 0; i < words.size(); ++i)
      fmt::print("{:<{}}{}", words[i], widest + 2,
                 (i + 1) % columns == 0 || i + 1 == words.size() ? "\n" : "");
    std::fflush(stdout);
  }

  lua_State* lua_;
  int environment_;
  std::string before_, pasted_;
  History* history_;
  EditLine* editor_;
  std::string history_file_;
  const char* prompt_ = "> ";
};

/// True when the load failed only because more lines are to come.
bool is_incomplete(lua_State* L) {
  const std::string message = text_of(L, -1);
  constexpr std::string_view kEnd = "'<eof>'";
  return message.size() >= kEnd.size() &&
         message.compare(message.size() - kEnd.size(), kEnd.size(), kEnd) == 0;
}

enum class Loaded { kYes, kIncomplete, kNo };

constexpr const char* kChunkName = "=stdin";

/// As an expression first, then as a statement. Pushes the function, or the message.
Loaded load(lua_State* L, const std::string& text, int environment) {
  bool loaded = load_user_code(L, "return " + text, kChunkName);
  if (!loaded) {
    lua_pop(L, 1);
    loaded = load_user_code(L, text, kChunkName);
  }
  if (!loaded) return is_incomplete(L) ? Loaded::kIncomplete : Loaded::kNo;
  if (environment != 0) {
    lua_pushvalue(L, environment);
    lua_setfenv(L, -2);
  }
  return Loaded::kYes;
}

/// __index of the globals: a variable that was never assigned is a typo more often than a nil.
/// Only lines of the session are told, since libraries ask for globals that may be missing.
int warn_of_undefined(lua_State* L) {
  lua_Debug caller;
  if (lua_type(L, 2) == LUA_TSTRING && lua_getstack(L, 1, &caller) && lua_getinfo(L, "S", &caller) &&
      std::string_view(caller.source) == kChunkName) {
    const std::string name = lua_tostring(L, 2);
    std::vector<std::string> known;
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1))
      if (lua_type(L, -2) == LUA_TSTRING) known.emplace_back(lua_tostring(L, -2));
    if (name[0] != '_')
      std::fprintf(stderr, "warning: undefined variable '%s'%s\n", name.c_str(),
                   did_you_mean(name, known).c_str());
  }
  return push(L, Json(nullptr));
}

/// Leaves a metatable alone that the user has set.
void make_globals_strict(lua_State* L) {
  lua_pushvalue(L, LUA_GLOBALSINDEX);
  if (!lua_getmetatable(L, -1)) {
    lua_newtable(L);
    lua_pushcfunction(L, guarded<warn_of_undefined>);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
    return;
  }
  lua_pop(L, 2);
}

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
  mark_pastes(false);
  const int status = std::system(text.c_str());
  mark_pastes(true);
  if (status != 0 && WIFEXITED(status)) std::fprintf(stderr, "exit status %d\n", WEXITSTATUS(status));
}

/// require(module).name(arguments on the stack); reports an error instead of raising it.
void call_library(lua_State* L, const char* module, const char* name, int num_args) {
  const int base = lua_gettop(L) - num_args;
  lua_getglobal(L, "require");
  push(L, module);
  if (const Outcome outcome = call(L, 1, 1); !outcome.ok) {
    std::fprintf(stderr, "%s\n", outcome.message.c_str());
    lua_settop(L, base);
    return;
  }
  lua_getfield(L, -1, name);
  lua_insert(L, base + 1);
  lua_pop(L, 1);
  if (const Outcome outcome = call(L, num_args, 0); !outcome.ok)
    std::fprintf(stderr, "%s\n", outcome.message.c_str());
}

void evaluate(lua_State* L, bool quiet) {
  const int base = lua_gettop(L) - 1;
  const auto start = std::chrono::steady_clock::now();
  const Outcome outcome = call(L, 0, LUA_MULTRET);
  const double ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  if (outcome.signal) {
    std::fputs("interrupted\n", stderr);
  } else if (!outcome.ok) {
    std::fprintf(stderr, "%s\n", outcome.message.c_str());
  } else if (const int count = lua_gettop(L) - base; count > 0) {
    lua_getglobal(L, "_");
    lua_setglobal(L, "__");
    lua_pushvalue(L, base + 1);
    lua_setglobal(L, "_");
    if (!quiet) call_library(L, "imatch.inspect", "print", count);
  }
  lua_settop(L, base);
  if (ms >= 0.05)
    fmt::print("-- {}\n", ms < 1000 ? fmt::format("{:.1f} ms", ms) : fmt::format("{:.2f} s", ms / 1000));
}

void trim_right(std::string& text) {
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
}

}  // namespace

int run_repl(lua_State* L, int environment) {
  std::setlocale(LC_CTYPE, "");
  lua_getglobal(L, "require");
  push(L, "imatch");
  if (const Outcome outcome = call(L, 1, 1); outcome.ok)
    lua_setglobal(L, "im");
  else
    std::fprintf(stderr, "%s\n", outcome.message.c_str());
  make_globals_strict(L);
  if (environment == 0)
    fmt::print("imatch-lua {}. 'im' is the library, ?name explains, Tab completes, Ctrl-D leaves.\n",
               program_version());
  else
    fmt::print("The script waits; its local variables are here. Ctrl-D goes on with it.\n");

  Editor editor(L, environment);
  for (std::string text;;) {
    bool interrupted = false;
    const std::optional<std::string> line = editor.read(text.empty() ? "> " : ">> ", text, &interrupted);
    if (interrupted) {
      text.clear();
      continue;
    }
    if (!line) break;
    text += (text.empty() ? "" : "\n") + *line;
    if (text.find_first_not_of(" \t\n") == std::string::npos) {
      text.clear();
      continue;
    }
    if (text[0] == '?') {
      editor.remember(text);
      push(L, text.substr(1));
      call_library(L, "imatch.doc", "print", 1);
      text.clear();
      continue;
    }
    if (text[0] == '$') {
      editor.remember(text);
      run_shell(text.substr(1));
      text.clear();
      continue;
    }
    std::string code = text;
    trim_right(code);
    const bool quiet = code.back() == ';';
    while (!code.empty() && code.back() == ';') code.pop_back();
    const Loaded loaded = load(L, code, environment);
    if (loaded == Loaded::kIncomplete) {
      lua_pop(L, 1);
      continue;
    }
    editor.remember(text);
    text.clear();
    if (loaded == Loaded::kYes) {
      evaluate(L, quiet);
    } else {
      std::fprintf(stderr, "%s\n", text_of(L, -1).c_str());
      lua_pop(L, 1);
    }
  }
  std::fputs("\n", stdout);
  return 0;
}

}  // namespace imatch::host
