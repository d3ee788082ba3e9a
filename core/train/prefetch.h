// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <omp.h>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace imatch {

/// Makes item after item in threads of its own, a few ahead, and hands them out in order.
template <class Item>
class Prefetch {
 public:
  /// Items `first` to `end` - 1, made by `make` (from several threads at once, each with one processor).
  Prefetch(std::int64_t first, std::int64_t end, int threads, std::function<Item(std::int64_t)> make)
      : make_(std::move(make)), next_made_(first), next_taken_(first), end_(end), ahead_(2 * threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  ~Prefetch() {
    {
      const std::lock_guard lock(mutex_);
      end_ = next_made_;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;

  /// The next one. Throws what `make` threw.
  Item take() {
    if (threads_.empty()) return make_(next_taken_++);
    std::unique_lock lock(mutex_);
    const std::int64_t wanted = next_taken_++;
    changed_.notify_all();
    changed_.wait(lock, [&] { return error_ || made_.contains(wanted); });
    if (!made_.contains(wanted)) std::rethrow_exception(error_);
    return std::move(made_.extract(wanted).mapped());
  }

 private:
  void work() {
    omp_set_num_threads(1);
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return next_made_ >= end_ || error_ || next_made_ < next_taken_ + ahead_; });
      if (next_made_ >= end_ || error_) return;
      const std::int64_t number = next_made_++;
      lock.unlock();
      try {
        Item item = make_(number);
        lock.lock();
        made_.emplace(number, std::move(item));
      } catch (const std::exception&) {
        lock.lock();
        error_ = std::current_exception();
      }
      changed_.notify_all();
    }
  }

  std::function<Item(std::int64_t)> make_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::int64_t, Item> made_;
  std::int64_t next_made_, next_taken_, end_, ahead_;
  std::exception_ptr error_;
  std::vector<std::thread> threads_;
};

}  // namespace imatch
