// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "base/error.h"

namespace imatch {

/// Words and numbers of a text, line by line.
class TextScanner {
 public:
  /// `name` begins the error messages and must outlive the scanner.
  TextScanner(std::string_view text, const std::string& name) : rest_(text), name_(name) {}

  /// Goes to the next line; false behind the last one. A line that ends in a backslash goes on in the next.
  bool next_line(bool joined = false) {
    if (rest_.empty()) return false;
    const std::size_t end = rest_.find('\n');
    line_ = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    ++number_;
    while (!line_.empty() && (line_.back() == '\r' || line_.back() == ' ')) line_.remove_suffix(1);
    joins_ = joined && line_.ends_with('\\');
    if (joins_) line_.remove_suffix(1);
    return true;
  }

  /// The next word of the line, empty at its end.
  std::string_view word() {
    for (;;) {
      const std::size_t begin = line_.find_first_not_of(" \t\v\f");
      if (begin != std::string_view::npos) {
        line_.remove_prefix(begin);
        const std::string_view found = line_.substr(0, line_.find_first_of(" \t\v\f"));
        line_.remove_prefix(found.size());
        return found;
      }
      line_ = {};
      if (!joins_ || !next_line(true)) return {};
    }
  }

  /// The next word as a number; fails where there is none.
  double number() { return number_of(word()); }

  double number_of(std::string_view text) const {
    double value = 0;
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::result_out_of_range) return 0;
    if (error != std::errc() || stop != text.data() + text.size())
      fail("'" + std::string(text.substr(0, 40)) + "' is no number");
    return value;
  }

  std::size_t line_number() const { return number_; }
  /// What follows the line.
  std::string_view rest() const { return rest_; }
  void skip(std::size_t bytes) { rest_.remove_prefix(bytes); }

  [[noreturn]] void fail(const std::string& what) const {
    throw Failure(code::kBadFormat, name_ + ", line " + std::to_string(number_) + ": " + what);
  }

 private:
  std::string_view rest_, line_;
  const std::string& name_;
  std::size_t number_ = 0;
  bool joins_ = false;
};

}  // namespace imatch
