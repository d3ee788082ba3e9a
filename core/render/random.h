// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace imatch {

/// The finaliser of SplitMix64: every bit of the result depends on every bit of the key.
constexpr std::uint64_t mix_bits(std::uint64_t key) {
  key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9ULL;
  key = (key ^ (key >> 27)) * 0x94d049bb133111ebULL;
  return key ^ (key >> 31);
}

/// A hash of whole numbers, the same on every machine.
constexpr std::uint64_t hash_of(std::uint64_t a, std::uint64_t b = 0, std::uint64_t c = 0) {
  return mix_bits(mix_bits(mix_bits(a + 0x9e3779b97f4a7c15ULL) ^ (b * 0xff51afd7ed558ccdULL)) ^
                  (c * 0xc4ceb9fe1a85ec53ULL));
}

/// A hash as a number in [0, 1).
constexpr double unit_from(std::uint64_t hash) {
  return static_cast<double>(hash >> 11) * 0x1p-53;
}

/// A stream of such numbers. Unlike the distributions of <random> it is the same with every standard library.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() { return mix_bits(state_ += 0x9e3779b97f4a7c15ULL); }
  double unit() { return unit_from(bits()); }
  double between(double low, double high) { return low + (high - low) * unit(); }
  bool chance(double probability) { return unit() < probability; }
  int below(int n) { return static_cast<int>(unit() * n); }

 private:
  std::uint64_t state_;
};

}  // namespace imatch
