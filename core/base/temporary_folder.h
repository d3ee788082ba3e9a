// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace imatch {

/// A new empty folder in the system's place for temporary files, removed with all it holds at the end.
class TemporaryFolder {
 public:
  /// Throws Failure (unwritable).
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace imatch
