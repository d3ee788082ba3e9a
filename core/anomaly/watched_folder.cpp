// SPDX-License-Identifier: Apache-2.0
#include "anomaly/watched_folder.h"

#include <filesystem>

#include "anomaly/training_data.h"
#include "base/error.h"

namespace imatch {

std::vector<std::string> WatchedFolder::look() {
  std::vector<std::string> names, ready;
  try {
    names = pictures_in(folder_);
  } catch (const Failure&) {
    return ready;
  }
  std::map<std::string, State> now;
  for (const std::string& path : names) {
    std::error_code gone;
    const State state{std::filesystem::file_size(path, gone),
                      gone ? 0 : std::filesystem::last_write_time(path, gone).time_since_epoch().count()};
    if (gone) continue;
    now[path] = state;
    const auto before = seen_.find(path), given = given_.find(path);
    if (before == seen_.end() || !(before->second == state)) continue;
    if (given != given_.end() && given->second == state) continue;
    given_[path] = state;
    ready.push_back(path);
  }
  seen_ = std::move(now);
  return ready;
}

}  // namespace imatch
