// SPDX-License-Identifier: Apache-2.0
#include "sweep/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "base/stop.h"

namespace imatch {

FolderLock::FolderLock(const std::string& folder)
    : file_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  // A holder needs milliseconds. One that is stopped, or a lock that a dead machine left, must not stop us.
  constexpr auto kLongest = std::chrono::seconds(30), kLongestOfStopped = std::chrono::seconds(2);
  const auto start = std::chrono::steady_clock::now();
  while (file_ >= 0 && ::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) break;
    if (std::chrono::steady_clock::now() - start > (stop_requested() ? kLongestOfStopped : kLongest)) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

FolderLock::~FolderLock() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace imatch
