// SPDX-License-Identifier: Apache-2.0
#include "base/time_left.h"

#include <cmath>

namespace imatch {
namespace {

/// Steps after which what the first one cost no longer counts.
constexpr int kFewSteps = 10;

}  // namespace

void TimeLeft::add(double time_s, double items) {
  time_s_ = time_s;
  if (items <= items_) return;
  items_ = items;
  if (num_steps_++ > 0) return;
  first_time_s_ = time_s;
  first_items_ = items;
}

std::optional<double> TimeLeft::items_per_s() const {
  const double since_s = time_s_ - first_time_s_;
  if (num_steps_ >= 2 && since_s >= kSettleSeconds) {
    const double without_first = (items_ - first_items_) / since_s;
    return num_steps_ > kFewSteps ? without_first : std::sqrt(without_first * items_ / time_s_);
  }
  if (num_steps_ >= 1 && time_s_ >= kLongItemSeconds) return items_ / time_s_;
  return std::nullopt;
}

}  // namespace imatch
