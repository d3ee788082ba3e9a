// SPDX-License-Identifier: Apache-2.0
#include "repl.h"

#include <fmt/format.h>
#include <histedit.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <clocale>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "base/version.h"
#include "completion.h"
#include "interrupt.h"
#include "stack.h"
#include "state.h"

namespace imatch::host {
namespace {

constexpr int kHistorySize = 10000;

/// A line editor on the terminal: history in the user's state folder, Tab completes.
class Editor {
 public:
  explicit Editor(lua_State* L)
      : lua_(L), history_(history_init()), editor_(el_init("imatch-lua", stdin, stdout, stderr)) {
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
    el_source(editor_, nullptr);
  }
  ~Editor() {
    el_end(editor_);
    history_end(history_);
  }
  Editor(const Editor&) = delete;
  Editor& operator=(const Editor&) = delete;

  /// The next line without its newline; nothing at the end of input. Sets `interrupted` when Ctrl-C was
  /// pressed.
  std::optional<std::string> read(const char* prompt_text, bool* interrupted) {
    prompt_ = prompt_text;
    int length = 0;
    errno = 0;
    const char* line = el_gets(editor_, &length);
    *interrupted = clear_interrupt(lua_) != 0;
    if (*interrupted) {
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

  unsigned char complete_word() {
    const LineInfo* info = el_line(editor_);
    const std::string before(info->buffer, info->cursor);
    if (before.find_first_not_of(" \t") == std::string::npos) {
      el_insertstr(editor_, "  ");
      return CC_REFRESH;
    }
    const Completions found = complete(lua_, before);
    const std::string shared = common_beginning(found.words);
    const std::string typed = before.substr(found.start);
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

/// As an expression first, then as a statement. Pushes the function, or the message.
Loaded load(lua_State* L, const std::string& text) {
  if (load_user_code(L, "return " + text, "=stdin")) return Loaded::kYes;
  lua_pop(L, 1);
  if (load_user_code(L, text, "=stdin")) return Loaded::kYes;
  return is_incomplete(L) ? Loaded::kIncomplete : Loaded::kNo;
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

int run_repl(lua_State* L) {
  std::setlocale(LC_CTYPE, "");
  lua_getglobal(L, "require");
  push(L, "imatch");
  if (const Outcome outcome = call(L, 1, 1); outcome.ok)
    lua_setglobal(L, "im");
  else
    std::fprintf(stderr, "%s\n", outcome.message.c_str());
  fmt::print("imatch-lua {}. 'im' is the library, ?name explains, Tab completes, Ctrl-D leaves.\n",
             program_version());

  Editor editor(L);
  for (std::string text;;) {
    bool interrupted = false;
    const std::optional<std::string> line = editor.read(text.empty() ? "> " : ">> ", &interrupted);
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
    std::string code = text;
    trim_right(code);
    const bool quiet = code.back() == ';';
    while (!code.empty() && code.back() == ';') code.pop_back();
    const Loaded loaded = load(L, code);
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
