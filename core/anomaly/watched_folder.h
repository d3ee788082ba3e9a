// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace imatch {

/// A folder into which others put pictures. A file is given out once it has kept its size and time for two
/// looks, so that none is read half-written, and again when it has changed since.
class WatchedFolder {
 public:
  explicit WatchedFolder(std::string folder) : folder_(std::move(folder)) {}

  /// Looks: paths of the pictures that are ready and were not given out yet, by name. A folder that is not
  /// there for the moment has none.
  std::vector<std::string> look();

 private:
  struct State {
    std::uintmax_t size = 0;
    std::int64_t time = 0;
    bool operator==(const State&) const = default;
  };
  std::string folder_;
  std::map<std::string, State> seen_, given_;
};

}  // namespace imatch
