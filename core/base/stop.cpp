// SPDX-License-Identifier: Apache-2.0
#include "base/stop.h"

#include <atomic>

#include "base/error.h"
#include "base/stop_notice.h"

namespace imatch {
namespace {
std::atomic<bool> stop{false};
std::atomic<bool> noticed{false};
std::atomic<int> patient{0};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free,
              "the signal handlers read and write these");
}  // namespace

void request_stop() noexcept {
  noticed.store(false, std::memory_order_relaxed);
  stop.store(true, std::memory_order_relaxed);
}
void clear_stop() noexcept {
  stop.store(false, std::memory_order_relaxed);
  noticed.store(true, std::memory_order_relaxed);
}
bool stop_requested() noexcept {
  if (!stop.load(std::memory_order_relaxed)) return false;
  noticed.store(true, std::memory_order_relaxed);
  return true;
}
void check_stop() {
  if (stop_requested()) throw Interrupted();
}

bool stop_noticed() noexcept {
  return noticed.load(std::memory_order_relaxed);
}

PatientStop::PatientStop() noexcept {
  patient.fetch_add(1);
}
PatientStop::~PatientStop() {
  patient.fetch_sub(1);
}
bool PatientStop::is_asked_for() noexcept {
  return patient.load() > 0;
}

}  // namespace imatch
