// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "match/nearest.h"

namespace imatch {

/// Results of mutual_pairs by key, least recently used ones dropped beyond a number of bytes. Thread-safe.
class PairMemory {
 public:
  explicit PairMemory(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}

  /// The one that mutual_pairs uses.
  static PairMemory& of_process();

  /// nullptr when not there.
  std::shared_ptr<const MutualPairs> find(const std::string& key);
  /// A result larger than the limit is not kept.
  void insert(const std::string& key, std::shared_ptr<const MutualPairs> pairs);
  std::size_t bytes() const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const MutualPairs> pairs;
    std::size_t bytes;
  };
  const std::size_t limit_bytes_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;
  std::size_t bytes_ = 0;
};

}  // namespace imatch
