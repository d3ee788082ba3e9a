// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <random>

namespace imatch {

/// A uniform random sample of rows that come one after the other and need not fit in memory together (J. S.
/// Vitter, "Random sampling with a reservoir", 1985, algorithm R). Depends on the seed and the order of the
/// rows, not on how they are divided into calls.
class RowReservoir {
 public:
  /// `capacity` >= 1 rows of `dim` numbers; memory is taken as rows come.
  RowReservoir(std::int64_t capacity, std::int64_t dim, std::uint64_t seed);

  /// [n, dim] float32 on the CPU.
  void add(const at::Tensor& rows);

  /// [min(seen, capacity), dim] float32; shares the memory.
  at::Tensor rows() const { return kept_.narrow(0, 0, num_kept_); }
  std::int64_t seen() const { return seen_; }
  bool sampled() const { return seen_ > capacity_; }

 private:
  at::Tensor kept_;
  std::int64_t capacity_;
  std::int64_t num_kept_ = 0;
  std::int64_t seen_ = 0;
  std::mt19937_64 random_;
};

}  // namespace imatch
