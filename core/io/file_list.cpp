// SPDX-License-Identifier: Apache-2.0
#include "io/file_list.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/error.h"
#include "base/stop.h"

namespace imatch {
namespace {

namespace fs = std::filesystem;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool has_extension(const fs::path& path, const std::vector<std::string>& extensions) {
  if (extensions.empty()) return true;
  const std::string own = lower(path.extension().string());
  return std::any_of(extensions.begin(), extensions.end(),
                     [&](const std::string& e) { return own == "." + lower(e); });
}

void list_into(const fs::path& folder, const std::string& prefix, const FileListOptions& options,
               std::vector<std::string>& names) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    check_stop();
    const std::string name = it->path().filename().string();
    if (name[0] == '.') continue;
    std::error_code ignored;
    if (it->is_directory(ignored)) {
      // A link to a folder above would never end.
      if (options.recursive && !it->is_symlink(ignored))
        list_into(it->path(), prefix + name + "/", options, names);
    } else if (it->is_regular_file(ignored) && has_extension(it->path(), options.extensions)) {
      names.push_back(prefix + name);
    }
  }
  if (error)
    throw Failure(code::kUnreadable, folder.string() + ": cannot list the folder: " + error.message());
}

}  // namespace

std::vector<std::string> list_files(const std::string& folder, const FileListOptions& options) {
  std::error_code error;
  if (!fs::is_directory(folder, error))
    throw Failure(code::kNotFound,
                  folder + (fs::exists(folder, error) ? ": is not a folder" : ": no such folder"));
  std::vector<std::string> names;
  list_into(folder, "", options, names);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace imatch
