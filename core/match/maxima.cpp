// SPDX-License-Identifier: Apache-2.0
#include "match/maxima.h"

#include <ATen/Parallel.h>
#include <ATen/ops/full.h>
#include <ATen/ops/max.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>

#include "base/stop.h"
#include "nn/linear_layer.h"

namespace imatch {
namespace {

constexpr float kLowest = -std::numeric_limits<float>::infinity();

float greatest(const float* row, std::int64_t m) {
  float best = kLowest;
#pragma omp simd reduction(max : best)
  for (std::int64_t j = 0; j < m; ++j) best = row[j] > best ? row[j] : best;
  return best;
}

/// CPU. Threads share out the rows for the maxima of rows and the columns for those of columns, so that none
/// waits for another and ties fall the same way for any number of threads.
class HostMaxima {
 public:
  explicit HostMaxima(Maxima& maxima) : maxima_(maxima), index_(maxima.col_value.size()) {}

  void add(const at::Tensor& block, std::int64_t first_row) {
    const std::int64_t n = block.size(0), m = block.size(1);
    const float* values = block.const_data_ptr<float>();
    at::parallel_for(0, n, std::max<std::int64_t>(1, kGrain / m), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const float* row = values + i * m;
        const float best = greatest(row, m);
        maxima_.row_value[first_row + i] = best;
        maxima_.row_index[first_row + i] = std::find(row, row + m, best) - row;
      }
    });
    at::parallel_for(0, m, std::max<std::int64_t>(64, kGrain / n), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = 0; i < n; ++i)
        keep_greater(values + i * m, begin, end, static_cast<std::int32_t>(first_row + i));
    });
  }
  void finish() { maxima_.col_index.assign(index_.begin(), index_.end()); }

 private:
  static constexpr std::int64_t kGrain = 1 << 16;  // values worth a thread

  void keep_greater(const float* row, std::int64_t begin, std::int64_t end, std::int32_t id) {
    float* best = maxima_.col_value.data();
    std::int32_t* where = index_.data();
    // A mask in place of a branch, and the pragma: else the compiler keeps to one value at a time.
#pragma omp simd
    for (std::int64_t j = begin; j < end; ++j) {
      const float value = row[j], old = best[j];
      const std::int32_t better = -static_cast<std::int32_t>(value > old);
      where[j] = (id & better) | (where[j] & ~better);
      best[j] = value > old ? value : old;
    }
  }
  Maxima& maxima_;
  std::vector<std::int32_t> index_;  // as wide as a float, so that value and index move in one vector step
};

/// Any other device: the same by tensor operations.
class DeviceMaxima {
 public:
  DeviceMaxima(Maxima& maxima, const at::TensorOptions& device)
      : maxima_(maxima),
        value_(at::full({static_cast<std::int64_t>(maxima.col_value.size())}, kLowest, device)),
        index_(at::zeros({static_cast<std::int64_t>(maxima.col_value.size())}, device.dtype(at::kLong))) {}

  void add(const at::Tensor& block, std::int64_t first_row) {
    const auto [row_value, row_index] = block.max(1);
    rows_.push_back({first_row, row_value, row_index});
    const auto [col_value, col_index] = block.max(0);
    const at::Tensor better = col_value.gt(value_);
    value_ = at::where(better, col_value, value_);
    index_ = at::where(better, col_index.add(first_row), index_);
  }
  void finish() {
    for (const Rows& rows : rows_) {
      copy(rows.value, maxima_.row_value.data() + rows.first);
      copy(rows.index, maxima_.row_index.data() + rows.first);
    }
    copy(value_, maxima_.col_value.data());
    copy(index_, maxima_.col_index.data());
  }

 private:
  struct Rows {
    std::int64_t first;
    at::Tensor value, index;
  };
  template <class T>
  static void copy(const at::Tensor& from, T* to) {
    const at::Tensor host = from.cpu().contiguous();
    std::copy_n(host.const_data_ptr<T>(), host.numel(), to);
  }
  Maxima& maxima_;
  at::Tensor value_, index_;
  std::vector<Rows> rows_;
};

template <class Running>
void scan(Running running, const at::Tensor& a, const at::Tensor& b, std::int64_t block_rows) {
  const LinearLayer times_b(b, {}, LinearLayer::Storage::kPacked);
  for (std::int64_t first = 0; first < a.size(0); first += block_rows) {
    check_stop();
    const std::int64_t rows = std::min(block_rows, a.size(0) - first);
    running.add(times_b(a.narrow(0, first, rows)), first);
  }
  running.finish();
}

}  // namespace

Maxima product_maxima(const at::Tensor& a, const at::Tensor& b, std::int64_t block_values) {
  const std::int64_t n = a.size(0), m = b.size(0);
  Maxima maxima;
  maxima.row_value.resize(n);
  maxima.row_index.resize(n);
  maxima.col_value.assign(m, kLowest);
  maxima.col_index.resize(m);
  // Blocks of equal height: a thin last one would cost a whole pass over b.
  const std::int64_t most_rows = std::max<std::int64_t>(1, block_values / m);
  const std::int64_t blocks = (n + most_rows - 1) / most_rows;
  const std::int64_t block_rows = (n + blocks - 1) / blocks;
  if (a.is_cpu())
    scan(HostMaxima(maxima), a, b, block_rows);
  else
    scan(DeviceMaxima(maxima, a.options()), a, b, block_rows);
  return maxima;
}

}  // namespace imatch
