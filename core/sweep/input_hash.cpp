// SPDX-License-Identifier: Apache-2.0
#include "sweep/input_hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/stop.h"

namespace imatch {
namespace fs = std::filesystem;
namespace {

std::string hash_of_file(const fs::path& path) {
  static std::map<std::string, std::string> known;
  require_file(path);
  const auto modified = fs::last_write_time(path);
  const std::string state = fmt::format("{} {} {}", fs::canonical(path).string(), fs::file_size(path),
                                        modified.time_since_epoch().count());
  if (const auto found = known.find(state); found != known.end()) return found->second;
  std::string hash = sha256_file(path);
  // A file changed a moment ago may change again within the same tick of the file system's clock.
  if (fs::file_time_type::clock::now() - modified > std::chrono::seconds(2)) known.emplace(state, hash);
  return hash;
}

}  // namespace

std::string hash_of_path(const std::string& path) {
  try {
    if (!fs::is_directory(path)) return hash_of_file(path);
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(path))
      if (entry.is_regular_file()) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    Sha256 all;
    for (const fs::path& file : files) {
      check_stop();
      all.add(file.lexically_relative(path).string()).add("\n").add(hash_of_file(file)).add("\n");
    }
    return all.hex();
  } catch (const fs::filesystem_error& error) {
    throw Failure(code::kUnreadable, fmt::format("{}: cannot read: {}", path, error.code().message()));
  }
}

}  // namespace imatch
