// SPDX-License-Identifier: Apache-2.0
#include "index/row_reservoir.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "index/random_index.h"

namespace imatch {

RowReservoir::RowReservoir(std::int64_t capacity, std::int64_t dim, std::uint64_t seed)
    : capacity_(capacity), random_(seed) {
  if (capacity < 1) throw Error(fmt::format("reservoir: room for {} rows; expected 1 or more", capacity));
  // Pages that no row was written to take no memory.
  kept_ = at::empty({capacity, dim}, at::kFloat);
}

void RowReservoir::add(const at::Tensor& rows) {
  const at::Tensor values = rows.to(at::kFloat).contiguous();
  const std::int64_t dim = kept_.size(1);
  if (values.dim() != 2 || values.size(1) != dim)
    throw Error(fmt::format("reservoir: rows of {} numbers; expected {}", values.size(-1), dim));
  const float* from = values.const_data_ptr<float>();
  float* const to = kept_.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < values.size(0); ++i, from += dim) {
    const std::int64_t place = seen_ < capacity_ ? seen_ : random_below(random_, seen_ + 1);
    ++seen_;
    if (place < capacity_) std::memcpy(to + place * dim, from, static_cast<std::size_t>(dim) * sizeof(float));
  }
  num_kept_ = std::min(seen_, capacity_);
}

}  // namespace imatch
