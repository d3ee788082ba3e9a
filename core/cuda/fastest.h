// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace imatch::cuda {

/// Which of several ways to compute the same is the fastest, measured once for each key and kept: in memory,
/// and in a folder, so that later processes take the same way and round the same. Calls may come from several
/// threads.
class Fastest {
 public:
  /// `names` of the ways; `folder` of the files, "": none are kept.
  Fastest(std::vector<std::string> names, std::string folder)
      : names_(std::move(names)), folder_(std::move(folder)) {}

  /// The number of a way; names().size() when none works. `seconds(way)` measures one, and throws where it
  /// cannot compute this.
  std::size_t choose(const std::string& key, const std::function<double(std::size_t)>& seconds);

  const std::vector<std::string>& names() const { return names_; }
  /// What has been chosen in this process: key and name.
  std::map<std::string, std::string> chosen() const;

 private:
  std::string path_of(const std::string& key) const;
  std::size_t read(const std::string& key) const;

  std::vector<std::string> names_;
  std::string folder_;
  mutable std::mutex mutex_;
  std::map<std::string, std::size_t> known_;
};

}  // namespace imatch::cuda
