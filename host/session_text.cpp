// SPDX-License-Identifier: Apache-2.0
#include "session_text.h"

#include <cctype>

namespace imatch::host {
namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

/// The tokens of a Lua text one by one, as far as blocks and locals ask for it: words, and single characters.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {}

  /// Moves to the next token; false at the end.
  bool next() {
    for (at_ = end_; at_ < text_.size(); at_ = end_) {
      if (std::isspace(static_cast<unsigned char>(text_[at_]))) {
        end_ = at_ + 1;
      } else if (text_.substr(at_, 2) == "--") {
        end_ = at_ + 2;
        if (!skip_long_bracket()) end_ = std::min(text_.find('\n', at_), text_.size());
      } else if (skip_string()) {
        return kind_ = '"', true;
      } else if (is_word(text_[at_])) {
        while (end_ < text_.size() && is_word(text_[end_])) ++end_;
        return kind_ = 'w', true;
      } else {
        end_ = at_ + 1;
        return kind_ = text_[at_], true;
      }
    }
    return kind_ = 0, false;
  }

  bool is(std::string_view word) const { return kind_ == 'w' && text() == word; }
  bool is_name() const { return kind_ == 'w' && !std::isdigit(static_cast<unsigned char>(text_[at_])); }
  char kind() const { return kind_; }
  std::string_view text() const { return text_.substr(at_, end_ - at_); }
  std::size_t begin() const { return at_; }
  std::size_t end() const { return end_; }

 private:
  /// [[...]], [=[...]=] at `end_`.
  bool skip_long_bracket() {
    std::size_t i = end_;
    if (i >= text_.size() || text_[i] != '[') return false;
    std::size_t level = 0;
    while (++i < text_.size() && text_[i] == '=') ++level;
    if (i >= text_.size() || text_[i] != '[') return false;
    const std::string close = "]" + std::string(level, '=') + "]";
    const std::size_t found = text_.find(close, i);
    end_ = found == text_.npos ? text_.size() : found + close.size();
    return true;
  }

  bool skip_string() {
    end_ = at_;
    const char quote = text_[at_];
    if (quote != '"' && quote != '\'') return skip_long_bracket();
    for (end_ = at_ + 1; end_ < text_.size() && text_[end_] != quote; ++end_)
      if (text_[end_] == '\\') ++end_;
    end_ = std::min(end_ + 1, text_.size());
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0, end_ = 0;
  char kind_ = 0;
};

}  // namespace

SessionText session_text(std::string_view typed) {
  SessionText result{std::string(typed), {}};
  std::size_t inserted = 0;
  Tokens tokens(typed);
  int depth = 0;
  for (bool more = tokens.next(); more;) {
    if (tokens.is("function") || tokens.is("do") || tokens.is("if") || tokens.is("repeat")) ++depth;
    if (tokens.is("end") || tokens.is("until")) --depth;
    if (!tokens.is("local") || depth != 0) {
      more = tokens.next();
      continue;
    }
    const std::size_t local = tokens.begin() + inserted;
    more = tokens.next();
    const bool is_function = tokens.is("function");
    if (is_function) more = tokens.next(), ++depth;
    std::size_t last = 0;
    for (;;) {  // names with commas between them
      if (!more || !tokens.is_name()) break;
      result.declared.emplace_back(tokens.text());
      last = tokens.end() + inserted;
      more = tokens.next();
      if (is_function || !more || tokens.kind() != ',') break;
      more = tokens.next();
    }
    if (last == 0) continue;  // no Lua: the compiler will say so
    result.code.replace(local, 5, "     ");
    if (is_function || (more && tokens.kind() == '=')) continue;
    result.code.insert(last, " = nil");
    inserted += 6;
  }
  return result;
}

}  // namespace imatch::host
