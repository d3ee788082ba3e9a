// SPDX-License-Identifier: Apache-2.0
#include "editor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/error.h"
#include "base/file.h"
#include "completion.h"
#include "interrupt.h"

namespace imatch::host {
namespace {

constexpr int kHistorySize = 10000;
// Terminals put these around what is pasted once they are asked to.
constexpr const char* kPasteOn = "\x1b[?2004h";
constexpr const char* kPasteOff = "\x1b[?2004l";
constexpr std::string_view kPasteEnd = "\x1b[201~";

}  // namespace

void Editor::mark_pastes(bool on) {
  if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) return;
  std::fputs(on ? kPasteOn : kPasteOff, stdout);
  std::fflush(stdout);
}

Editor::Editor(lua_State* L, int variables)
    : lua_(L),
      variables_(variables),
      history_(history_init()),
      editor_(el_init("imatch-lua", stdin, stdout, stderr)) {
  HistEvent event;
  history(history_, &event, H_SETSIZE, kHistorySize);
  history(history_, &event, H_SETUNIQUE, 1);
  try {
    history_file_ = user_state_folder() + "/history";
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

Editor::~Editor() {
  mark_pastes(false);
  el_end(editor_);
  history_end(history_);
}

std::optional<std::string> Editor::read(const char* prompt_text, const std::string& before,
                                        bool* interrupted) {
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

void Editor::remember(const std::string& text) {
  if (text.empty()) return;
  HistEvent event;
  history(history_, &event, H_ENTER, text.c_str());
  if (!history_file_.empty()) history(history_, &event, H_SAVE, history_file_.c_str());
}

Editor& Editor::self(EditLine* editor) {
  Editor* instance = nullptr;
  el_get(editor, EL_CLIENTDATA, &instance);
  return *instance;
}

unsigned char Editor::on_newline(EditLine* editor, int) {
  el_insertstr(editor, "\n");
  return CC_REFRESH;
}

/// The first pasted line ends the one at hand; the others wait for read().
unsigned char Editor::take_paste() {
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

unsigned char Editor::complete_word() {
  const LineInfo* info = el_line(editor_);
  const std::string before(info->buffer, info->cursor);
  if (before.find_first_not_of(" \t") == std::string::npos) {
    el_insertstr(editor_, "  ");
    return CC_REFRESH;
  }
  const std::string earlier = before_.empty() ? "" : before_ + "\n";
  const Completions found = complete(lua_, earlier + before, variables_);
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
void Editor::show(const std::vector<std::string>& words) {
  std::size_t widest = 0;
  for (const std::string& word : words) widest = std::max(widest, word.size());
  const std::size_t columns = std::max<std::size_t>(1, 80 / (widest + 2));
  std::fputs("\n", stdout);
  for (std::size_t i = 0; i < words.size(); ++i)
    fmt::print("{:<{}}{}", words[i], widest + 2, (i + 1) % columns == 0 || i + 1 == words.size() ? "\n" : "");
  std::fflush(stdout);
}

}  // namespace imatch::host
