// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <histedit.h>

#include <lua.hpp>
#include <optional>
#include <string>
#include <vector>

namespace imatch::host {

/// A line editor on the terminal: history in the user's state folder, Tab completes, Alt-Enter begins another
/// line, pasted lines are taken as they are.
class Editor {
 public:
  /// `variables`: place of the table whose fields are completed besides the globals.
  Editor(lua_State* L, int variables);
  ~Editor();
  Editor(const Editor&) = delete;
  Editor& operator=(const Editor&) = delete;

  /// The next line without its newline; nothing at the end of input. Sets `interrupted` when Ctrl-C was
  /// pressed. `before` is what was typed of the statement in earlier lines.
  std::optional<std::string> read(const char* prompt_text, const std::string& before, bool* interrupted);

  void remember(const std::string& text);

  /// Whether the terminal puts marks around what is pasted; not while another program reads from it.
  static void mark_pastes(bool on);

 private:
  static Editor& self(EditLine* editor);
  static const char* prompt(EditLine* editor) { return self(editor).prompt_; }
  static unsigned char on_tab(EditLine* editor, int) { return self(editor).complete_word(); }
  static unsigned char on_newline(EditLine* editor, int);
  static unsigned char on_paste(EditLine* editor, int) { return self(editor).take_paste(); }

  unsigned char take_paste();
  unsigned char complete_word();
  static void show(const std::vector<std::string>& words);

  lua_State* lua_;
  int variables_;
  std::string before_, pasted_;
  History* history_;
  EditLine* editor_;
  std::string history_file_;
  const char* prompt_ = "> ";
};

}  // namespace imatch::host
