// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace imatch {

/// Milliseconds that this process would have needed more if nothing had been kept: whoever hands out a kept
/// result adds what computing it took, less what finding it took. The time of a measurement and what was
/// saved in it together are what it costs by itself, whoever filled the caches.
double saved_ms();
void note_saved_ms(double ms);

/// Milliseconds since it was made.
class Stopwatch {
 public:
  double ms() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace imatch
