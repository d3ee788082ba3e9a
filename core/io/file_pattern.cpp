// SPDX-License-Identifier: Apache-2.0
#include "io/file_pattern.h"

#include <fmt/format.h>

#include <regex>

#include "base/error.h"
#include "io/file_list.h"

namespace imatch {
namespace {

struct Pattern {
  std::regex expression;
  std::vector<std::string> names;  ///< Of the groups in their order; "" for one without.
};

/// std::regex has no named groups: they become plain ones, their names a list.
Pattern parse(const std::string& text) {
  Pattern pattern;
  std::string plain;
  bool in_class = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    plain += c;
    if (c == '\\' && i + 1 < text.size()) {
      plain += text[++i];
    } else if (c == '[' || c == ']') {
      in_class = c == '[';
    } else if (c == '(' && !in_class) {
      const std::size_t open = text.compare(i, 4, "(?P<") == 0  ? i + 4
                               : text.compare(i, 3, "(?<") == 0 ? i + 3
                                                                : std::string::npos;
      const std::size_t close = open == std::string::npos ? open : text.find('>', open);
      if (close != std::string::npos) {
        pattern.names.push_back(text.substr(open, close - open));
        i = close;
      } else if (text.compare(i, 2, "(?") != 0) {
        pattern.names.emplace_back();
      }
    }
  }
  try {
    pattern.expression = std::regex(plain, std::regex::ECMAScript | std::regex::icase);
  } catch (const std::regex_error& error) {
    throw Error(fmt::format("pattern '{}': {}; expected a regular expression", text, error.what()));
  }
  return pattern;
}

}  // namespace

std::vector<NamedFile> find_files(const std::string& folder, const std::string& text) {
  const Pattern pattern = parse(text);
  FileListOptions everything_below;
  everything_below.recursive = true;
  std::vector<NamedFile> found;
  for (const std::string& path : list_files(folder, everything_below)) {
    std::smatch match;
    if (!std::regex_match(path, match, pattern.expression)) continue;
    NamedFile file{path, {}};
    for (std::size_t g = 0; g < pattern.names.size(); ++g)
      if (!pattern.names[g].empty()) file.groups.emplace_back(pattern.names[g], match[g + 1].str());
    found.push_back(std::move(file));
  }
  return found;
}

}  // namespace imatch
