// SPDX-License-Identifier: Apache-2.0
#include "cuda/fastest.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/file.h"

namespace imatch::cuda {

std::size_t Fastest::choose(const std::string& key, const std::function<double(std::size_t)>& seconds) {
  const std::lock_guard lock(mutex_);
  if (const auto known = known_.find(key); known != known_.end()) return known->second;
  std::size_t best = read(key);
  if (best < names_.size()) return known_[key] = best;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t way = 0; way < names_.size(); ++way) try {
      const double time = seconds(way);
      if (time < least) least = time, best = way;
    } catch (const std::exception&) {
      // Not for such a type or shape, or not on such a device.
    }
  known_[key] = best;
  if (!folder_.empty() && best < names_.size()) try {
      write_file_atomically(path_of(key), key + "\n" + names_[best] + "\n", /*durable=*/false);
    } catch (const Failure&) {
      // A cache that cannot be written fails nobody: the next process measures again.
    }
  return best;
}

std::map<std::string, std::string> Fastest::chosen() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::string> all;
  for (const auto& [key, way] : known_) all[key] = way < names_.size() ? names_[way] : "none";
  return all;
}

std::string Fastest::path_of(const std::string& key) const {
  return folder_ + "/" + file_name_from(key) + ".txt";
}

std::size_t Fastest::read(const std::string& key) const {
  if (folder_.empty()) return names_.size();
  try {
    const std::string text = read_file(path_of(key), 4096);
    const auto found = std::ranges::find_if(
        names_, [&](const std::string& name) { return text == key + "\n" + name + "\n"; });
    return static_cast<std::size_t>(found - names_.begin());
  } catch (const Failure&) {
    return names_.size();
  }
}

}  // namespace imatch::cuda
