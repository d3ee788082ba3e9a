// SPDX-License-Identifier: Apache-2.0
#include "backbone/weights_search.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "base/spelling.h"
#include "io/file_list.h"

namespace imatch {
namespace {

constexpr std::string_view kFolderMark = "/config.json";

bool ends_with_path(std::string_view path, std::string_view name) {
  return path == name ||
         (path.ends_with(name) && path.size() > name.size() && path[path.size() - name.size() - 1] == '/');
}

/// A model in a folder is meant by the folder, not by the file that marks it.
std::string without_mark(std::string path) {
  if (path.ends_with(kFolderMark)) path.resize(path.size() - kFolderMark.size());
  return path;
}

[[noreturn]] void nothing_found(const PublishedWeights& wanted, const std::string& where) {
  std::vector<std::string> names;
  for (const std::string& file : wanted.files) {
    const std::string name = without_mark(file);
    names.push_back(fmt::format("{} '{}'", name == file ? "the file" : "the folder", name));
  }
  throw Failure(code::kNotFound, fmt::format("{}: no weights: looked for {} {}; they are handed out at {}",
                                             wanted.model, joined(names, " or "), where, wanted.source));
}

}  // namespace

PublishedWeights of_layout(PublishedWeights wanted, std::string_view layout) {
  if (layout != "any")
    std::erase_if(wanted.files, [&](const std::string& file) {
      return file.ends_with(kFolderMark) != (layout == "folder");
    });
  return wanted;
}

std::string find_weights(const PublishedWeights& wanted, const std::string& root) {
  const char* environment = std::getenv("WEIGHTS_ROOT");
  const std::string folder = !root.empty() ? root : environment ? environment : "";
  if (folder.empty())
    nothing_found(wanted, "nowhere, as neither weights, weights_root nor WEIGHTS_ROOT is set");
  FileListOptions everything_below;
  everything_below.recursive = true;
  for (const std::string& file : wanted.files)
    if (const std::size_t dot = file.rfind('.'); dot != std::string::npos)
      everything_below.extensions.push_back(file.substr(dot + 1));
  const std::vector<std::string> found = list_files(folder, everything_below);
  for (const std::string& file : wanted.files)
    for (const std::string& path : found)
      if (ends_with_path(path, file)) return folder + "/" + without_mark(path);
  nothing_found(wanted, fmt::format("in '{}' and the folders below it", folder));
}

}  // namespace imatch
