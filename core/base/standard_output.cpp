// SPDX-License-Identifier: Apache-2.0
#include "base/standard_output.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <iostream>

namespace imatch {
namespace {
std::atomic<int> noted{0};
}  // namespace

void note_output_error(int error) noexcept {
  int none = 0;
  noted.compare_exchange_strong(none, error, std::memory_order_relaxed);
}

int standard_output_error() noexcept {
  std::cout.flush();
  const bool failed_before = std::ferror(stdout) != 0;
  errno = 0;
  if (std::fflush(stdout) != 0) note_output_error(errno);
  if (failed_before) note_output_error(errno != 0 ? errno : EIO);
  // A network file system may tell of a full disk only now; the descriptor itself stays open for last words.
  const int copy = noted == 0 ? ::dup(STDOUT_FILENO) : -1;
  if (copy >= 0 && ::close(copy) != 0 && errno != EINTR) note_output_error(errno);
  return noted;
}

}  // namespace imatch
