// SPDX-License-Identifier: Apache-2.0
#include "base/stop.h"

#include <atomic>

#include "base/error.h"

namespace imatch {
namespace {
std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "the signal handler writes this flag");
}  // namespace

void request_stop() noexcept {
  stop.store(true, std::memory_order_relaxed);
}
void clear_stop() noexcept {
  stop.store(false, std::memory_order_relaxed);
}
bool stop_requested() noexcept {
  return stop.load(std::memory_order_relaxed);
}
void check_stop() {
  if (stop_requested()) throw Interrupted();
}

}  // namespace imatch
