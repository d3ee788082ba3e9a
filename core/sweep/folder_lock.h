// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace imatch {

/// While an object lives, no other process has one of the same folder: for files that belong together. Waits
/// half a minute for its turn, two seconds when a stop is asked for. Where the file system has no locks, or
/// the folder is not there, it does nothing.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int file_;
};

}  // namespace imatch
