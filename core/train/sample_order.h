// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

namespace imatch {

/// Which samples a step takes: all of them once an epoch, in an order that depends on the seed and the epoch
/// alone, so that a run may go on at any step. Safe for several threads.
class SampleOrder {
 public:
  SampleOrder(std::int64_t samples, int batch, std::int64_t seed)
      : samples_(samples), batch_(batch), seed_(seed) {}

  /// The samples of step 0...; the last batch of an epoch may be short.
  std::vector<std::int64_t> batch(std::int64_t step) const;

 private:
  std::int64_t samples_, batch_, seed_;
  mutable std::mutex mutex_;
  mutable std::int64_t epoch_ = -1;
  mutable std::vector<std::int64_t> shuffled_;
};

}  // namespace imatch
