// SPDX-License-Identifier: Apache-2.0
#include "train/sample_order.h"

#include <algorithm>
#include <numeric>
#include <random>

namespace imatch {

std::vector<std::int64_t> SampleOrder::batch(std::int64_t step) const {
  const std::int64_t batches = (samples_ + batch_ - 1) / batch_;
  const std::lock_guard lock(mutex_);
  if (const std::int64_t epoch = step / batches; epoch != epoch_) {
    epoch_ = epoch;
    shuffled_.resize(static_cast<std::size_t>(samples_));
    std::iota(shuffled_.begin(), shuffled_.end(), std::int64_t{0});
    std::mt19937_64 random(static_cast<std::uint64_t>(seed_) * 0x9e3779b97f4a7c15U +
                           static_cast<std::uint64_t>(epoch));
    // std::shuffle differs between libraries
    for (std::size_t i = shuffled_.size(); i > 1; --i) std::swap(shuffled_[i - 1], shuffled_[random() % i]);
  }
  const std::int64_t first = step % batches * batch_;
  return {shuffled_.begin() + first, shuffled_.begin() + std::min(first + batch_, samples_)};
}

}  // namespace imatch
