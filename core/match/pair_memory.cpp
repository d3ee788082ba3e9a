// SPDX-License-Identifier: Apache-2.0
#include "match/pair_memory.h"

namespace imatch {

PairMemory& PairMemory::of_process() {
  static PairMemory memory(std::size_t{64} << 20);
  return memory;
}

std::shared_ptr<const MutualPairs> PairMemory::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->pairs;
}

void PairMemory::insert(const std::string& key, std::shared_ptr<const MutualPairs> pairs) {
  const std::size_t bytes = sizeof(Entry) + sizeof(MutualPairs) + 2 * key.size() +
                            pairs->similarity.size() * (2 * sizeof(std::int32_t) + sizeof(float) + 1);
  const std::lock_guard lock(mutex_);
  // Another thread may have computed the same meanwhile; the results are equal.
  if (bytes > limit_bytes_ || by_key_.contains(key)) return;
  entries_.push_front({key, std::move(pairs), bytes});
  by_key_.emplace(entries_.front().key, entries_.begin());
  bytes_ += bytes;
  while (bytes_ > limit_bytes_) {
    bytes_ -= entries_.back().bytes;
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
}

std::size_t PairMemory::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace imatch
