// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace imatch {

/// What was used last, within a limit: of a sum of costs (bytes) or, with the default cost of 1, of a count.
/// What was used least recently goes first. Keys need operator<. Not synchronised; see SharedLru.
template <class Key, class Value>
class Lru {
 public:
  using Item = std::pair<Key, Value>;

  explicit Lru(std::size_t limit) : limit_(limit) {}

  /// nullptr when the key is not kept. Counts as a use; the pointer holds until the next insert.
  Value* find(const Key& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return nullptr;
    uses_.splice(uses_.begin(), uses_, found->second.use);
    return &found->second.value;
  }

  bool contains(const Key& key) const { return entries_.contains(key); }

  /// Keeps the value unless the key is there already, and returns what no longer fits: entries used least
  /// recently, in that order, or the given one itself where it alone costs more than the limit.
  std::vector<Item> insert(Key key, Value value, std::size_t cost = 1) {
    std::vector<Item> dropped;
    if (entries_.contains(key)) return dropped;
    if (cost > limit_) {
      dropped.emplace_back(std::move(key), std::move(value));
      return dropped;
    }
    const auto place = entries_.emplace(std::move(key), Entry{std::move(value), cost, {}}).first;
    place->second.use = uses_.insert(uses_.begin(), place);
    cost_ += cost;
    while (cost_ > limit_) {
      const auto oldest = uses_.back();
      cost_ -= oldest->second.cost;
      uses_.pop_back();
      auto node = entries_.extract(oldest);
      dropped.emplace_back(std::move(node.key()), std::move(node.mapped().value));
    }
    return dropped;
  }

  void clear() {
    entries_.clear();
    uses_.clear();
    cost_ = 0;
  }

  std::size_t size() const { return entries_.size(); }
  std::size_t cost() const { return cost_; }  ///< Of what is kept; <= limit().
  std::size_t limit() const { return limit_; }

 private:
  struct Entry;
  using Entries = std::map<Key, Entry>;
  struct Entry {
    Value value;
    std::size_t cost;
    typename std::list<typename Entries::iterator>::iterator use;
  };

  std::size_t limit_;
  Entries entries_;
  std::list<typename Entries::iterator> uses_;  ///< The latest first.
  std::size_t cost_ = 0;
};

/// An Lru of shared immutable values that may be used from any thread: what is dropped lives on with those
/// who still hold it.
template <class Key, class Value>
class SharedLru {
 public:
  explicit SharedLru(std::size_t limit) : values_(limit) {}

  /// nullptr when the key is not kept.
  std::shared_ptr<const Value> find(const Key& key) {
    const std::lock_guard lock(mutex_);
    const auto* value = values_.find(key);
    return value ? *value : nullptr;
  }

  /// Of two threads that made the same value the first is kept.
  void insert(Key key, std::shared_ptr<const Value> value, std::size_t cost = 1) {
    std::vector<typename Lru<Key, std::shared_ptr<const Value>>::Item> dropped;  // destroyed without the lock
    const std::lock_guard lock(mutex_);
    dropped = values_.insert(std::move(key), std::move(value), cost);
  }

  std::size_t cost() const {
    const std::lock_guard lock(mutex_);
    return values_.cost();
  }

 private:
  mutable std::mutex mutex_;
  Lru<Key, std::shared_ptr<const Value>> values_;
};

}  // namespace imatch
