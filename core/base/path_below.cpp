// SPDX-License-Identifier: Apache-2.0
#include "base/path_below.h"

#include <fmt/format.h>

#include "base/error.h"

namespace imatch {
namespace {

/// Why this part may not stand below a root; nullptr when it may.
const char* why_not_below(std::string_view part) {
  if (part.empty()) return "is empty";
  if (part.front() == '/') return "begins with '/'";
  if (part.find('\0') != std::string_view::npos) return "has a NUL in it";
  while (true) {
    const auto slash = part.find('/');
    if (part.substr(0, slash) == "..") return "has '..' in it";
    if (slash == std::string_view::npos) return nullptr;
    part.remove_prefix(slash + 1);
  }
}

}  // namespace

std::string path_below(std::string_view root, std::initializer_list<std::string_view> parts) {
  std::string path(root.empty() ? "." : root);
  for (const std::string_view part : parts) {
    if (const char* why = why_not_below(part))
      throw Failure(code::kBadFormat,
                    fmt::format("the name '{}' {}, so that its file would not lie in the folder {}", part,
                                why, root.empty() ? "." : root));
    if (path.back() != '/') path += '/';
    path += part;
  }
  return path;
}

}  // namespace imatch
