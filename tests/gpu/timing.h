// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

namespace imatch::testing {

inline void wait_for(c10::Device device) {
  if (!device.is_cpu()) c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
}

/// Seconds of one call: the median of `rounds` of `calls` each, after `before` calls that are not counted.
inline double seconds(c10::Device device, int rounds, const std::function<void()>& call, int calls = 1,
                      int before = 1) {
  for (int i = 0; i < before; ++i) call();
  std::vector<double> times;
  for (int round = 0; round < rounds; ++round) {
    wait_for(device);
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) call();
    wait_for(device);
    times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / calls);
  }
  std::ranges::sort(times);
  return times[times.size() / 2];
}

}  // namespace imatch::testing
