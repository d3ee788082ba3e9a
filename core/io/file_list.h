// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/field.h"

namespace imatch {

struct FileListOptions {
  std::vector<std::string> extensions;
  bool recursive = false;
  static constexpr auto fields = std::tuple{
      field("extensions", &FileListOptions::extensions, anything(),
            "Only files with one of these endings, without the dot, in any case; none: all files."),
      field("recursive", &FileListOptions::recursive, anything(),
            "Also in folders below, as 'below/name.jpg'.")};
};

/// Names of the regular files in a folder, relative to it, sorted by bytes. Hidden ones are left out.
/// Throws Failure (not_found, unreadable).
std::vector<std::string> list_files(const std::string& folder, const FileListOptions& options = {});

}  // namespace imatch
