// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <random>

namespace imatch {

/// Uniform in [0, bound), the same everywhere: the library's distributions are not.
inline std::int64_t random_below(std::mt19937_64& random, std::int64_t bound) {
  const auto range = static_cast<std::uint64_t>(bound);
  const std::uint64_t usable = std::numeric_limits<std::uint64_t>::max() / range * range;
  std::uint64_t number = random();
  while (number >= usable) number = random();
  return static_cast<std::int64_t>(number % range);
}

/// Uniform in [0, 1), likewise.
inline double random_unit(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) * 0x1p-53;
}

}  // namespace imatch
