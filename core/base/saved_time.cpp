// SPDX-License-Identifier: Apache-2.0
#include "base/saved_time.h"

#include <atomic>

namespace imatch {
namespace {

std::atomic<double>& saved_total() {
  static std::atomic<double> ms = 0;
  return ms;
}

}  // namespace

double saved_ms() {
  return saved_total().load(std::memory_order_relaxed);
}

void note_saved_ms(double ms) {
  saved_total().fetch_add(ms, std::memory_order_relaxed);
}

}  // namespace imatch
