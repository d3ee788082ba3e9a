// SPDX-License-Identifier: Apache-2.0
#include "feature/cache_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <string_view>
#include <vector>

namespace imatch {
namespace {

constexpr std::string_view kSuffix = ".features";
constexpr std::string_view kTemporarySuffix = ".tmp";
constexpr std::time_t kAbandonedAfter_s = 3600;

struct Found {
  std::string path;
  double bytes = 0;
  timespec used{};
};

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

/// Calls visit(name) for each name in a folder; a folder that is not there has none.
template <class Visit>
void for_each_name(const std::string& folder, const Visit& visit) {
  const std::unique_ptr<DIR, CloseFolder> stream(::opendir(folder.c_str()));
  if (!stream) return;
  while (const dirent* entry = ::readdir(stream.get()))
    if (const std::string_view name = entry->d_name; name != "." && name != "..") visit(std::string(name));
}

bool is_shard(std::string_view name) {
  return name.size() == 2 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::vector<Found> find_entries(const std::string& folder) {
  std::vector<Found> found;
  const std::time_t now = std::time(nullptr);
  for_each_name(folder, [&](const std::string& shard) {
    if (!is_shard(shard)) return;
    for_each_name(folder + "/" + shard, [&](const std::string& name) {
      const std::string path = folder + "/" + shard + "/" + name;
      struct stat status;
      const bool abandoned = name.find(kSuffix) != std::string::npos && name.ends_with(kTemporarySuffix);
      if ((!abandoned && !name.ends_with(kSuffix)) || ::lstat(path.c_str(), &status) != 0 ||
          !S_ISREG(status.st_mode))
        return;
      if (!abandoned)
        found.push_back({path, static_cast<double>(status.st_size), status.st_mtim});
      else if (now - status.st_mtime > kAbandonedAfter_s)
        ::unlink(path.c_str());
    });
  });
  return found;
}

}  // namespace

std::string entry_path(const std::string& folder, const std::string& key) {
  return folder + "/" + key.substr(0, 2) + "/" + key + std::string(kSuffix);
}

void touch_entry(const std::string& path) {
  ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
}

std::int64_t shrink_cache_folder(const std::string& folder, double limit, double keep) {
  std::vector<Found> entries = find_entries(folder);
  double total = 0;
  for (const Found& entry : entries) total += entry.bytes;
  if (total <= limit) return 0;
  std::sort(entries.begin(), entries.end(), [](const Found& a, const Found& b) {
    if (a.used.tv_sec != b.used.tv_sec) return a.used.tv_sec < b.used.tv_sec;
    if (a.used.tv_nsec != b.used.tv_nsec) return a.used.tv_nsec < b.used.tv_nsec;
    return a.path < b.path;
  });
  std::int64_t removed = 0;
  for (const Found& entry : entries) {
    if (total <= keep) break;
    // Another process may have removed it already; the space is free in either case.
    if (::unlink(entry.path.c_str()) == 0) ++removed;
    total -= entry.bytes;
  }
  return removed;
}

}  // namespace imatch
