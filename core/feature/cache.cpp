// SPDX-License-Identifier: Apache-2.0
#include "feature/cache.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/saved_time.h"
#include "base/sha256.h"
#include "feature/cache_folder.h"
#include "feature/feature_file.h"

namespace imatch {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kMegabyte = 1e6;
/// Each process measures the folder again after writing this share of its limit, and then removes down to
/// kKeep of it: so n processes exceed the limit by n/16 at most, and a put costs no more than its own file.
constexpr double kScanShare = 1.0 / 16;
constexpr double kKeep = 0.9;
constexpr std::chrono::seconds kPauseAfterFailure{30};

double elapsed_ms(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

bool is_digest(const std::string& key) {
  return key.size() == 64 && key.find_first_not_of("0123456789abcdef") == std::string::npos;
}

void require_digest(const std::string& key) {
  if (!is_digest(key))
    throw Error(fmt::format("feature cache: key '{}': expected 64 hexadecimal digits", key));
}

}  // namespace

std::string feature_key(const FeatureKey& parts) {
  Sha256 hash;
  hash.add(fmt::format("features {}\n", kFeatureFormat));
  // The lengths keep the parts apart: ("ab", "c") is not ("a", "bc").
  // The empty part once stood for a number type; without it, all keys would change.
  for (const std::string_view part :
       {parts.image_digest, parts.backbone, parts.weights_sha256, std::string_view(), parts.more})
    hash.add(fmt::format("{}:", part.size())).add(part);
  return hash.hex();
}

FeatureCache::FeatureCache(const CacheOptions& options) : memory_(0) {
  configure(options);
}

void FeatureCache::configure(const CacheOptions& options) {
  const std::lock_guard lock(mutex_);
  options_ = options;
  statistics_ = {};
  try {
    if (options_.enabled && options_.folder.empty()) options_.folder = user_cache_folder() + "/features";
  } catch (const Failure& failure) {
    statistics_.problem = failure.what();
    options_.max_mb = 0;
  }
  memory_ = Memory(static_cast<std::size_t>(options_.memory_mb * kMegabyte));
  unscanned_bytes_ = 0;
  scanned_ = false;
  pause_until_ = {};
}

std::shared_ptr<const Features> FeatureCache::get(const std::string& key) {
  require_digest(key);
  std::unique_lock lock(mutex_);
  if (!options_.enabled) return nullptr;
  if (const Entry* entry = memory_.find(key)) {
    ++statistics_.memory_hits;
    statistics_.saved_ms += entry->compute_ms;
    note_saved_ms(entry->compute_ms);
    return entry->features;
  }
  if (options_.max_mb == 0) return ++statistics_.misses, nullptr;
  const std::string path = entry_path(options_.folder, key);
  lock.unlock();  // other threads need not wait for the disk

  const Clock::time_point start = Clock::now();
  std::shared_ptr<const Features> result;
  double compute_ms = 0;
  std::size_t size = 0;
  std::string problem;
  bool corrupt = false;
  try {
    const ByteRange file = own_bytes(read_file(path));
    size = file.size();
    StoredFeatures stored = parse_features(file, path);
    if (stored.features.key != key)
      throw Failure(code::kBadFormat, path + ": holds other features than its name says");
    compute_ms = stored.compute_ms;
    result = std::make_shared<const Features>(std::move(stored.features));
    touch_entry(path);
  } catch (const Failure& failure) {
    corrupt = failure.code() == code::kBadFormat;
    if (corrupt) ::unlink(path.c_str());
    if (failure.code() != code::kNotFound) problem = failure.what();
  }
  lock.lock();
  if (!result) {
    ++statistics_.misses;
    if (corrupt)
      ++statistics_.corrupt;
    else if (!problem.empty())
      ++statistics_.failed_reads;
    if (!problem.empty()) note_problem(problem);
    return nullptr;
  }
  const double read_ms = elapsed_ms(start);
  ++statistics_.disk_hits;
  statistics_.bytes_read += static_cast<std::int64_t>(size);
  statistics_.read_ms += read_ms;
  statistics_.saved_ms += compute_ms - read_ms;
  note_saved_ms(compute_ms - read_ms);
  const auto dropped = memory_.insert(key, {result, compute_ms, /*on_disk=*/true}, result->bytes());
  lock.unlock();
  write_dropped(dropped);
  return result;
}

void FeatureCache::put(const std::string& key, std::shared_ptr<const Features> features, double compute_ms) {
  require_digest(key);
  std::vector<Memory::Item> dropped;
  bool write_now = false;
  {
    const std::lock_guard lock(mutex_);
    if (!options_.enabled) return;
    dropped = memory_.insert(key, {features, compute_ms, !options_.write_when_dropped}, features->bytes());
    write_now = !options_.write_when_dropped && may_write();
  }
  if (write_now) write(key, *features, compute_ms);
  write_dropped(dropped);
}

bool FeatureCache::may_write() const {
  return options_.max_mb > 0 && Clock::now() >= pause_until_;
}

void FeatureCache::write_dropped(const std::vector<Memory::Item>& dropped) {
  for (const auto& [key, entry] : dropped) {
    if (entry.on_disk) continue;
    {
      const std::lock_guard lock(mutex_);
      if (!may_write()) return;
    }
    write(key, *entry.features, entry.compute_ms);
  }
}

void FeatureCache::write(const std::string& key, const Features& features, double compute_ms) {
  const CacheOptions options = this->options();
  const double limit = options.max_mb * kMegabyte;
  Features named = features;
  named.key = key;
  const std::string bytes = feature_bytes(named, compute_ms);
  const auto size = static_cast<double>(bytes.size());
  if (size > limit) return;
  std::string problem;
  try {
    write_file_atomically(entry_path(options.folder, key), bytes, /*durable=*/false);
  } catch (const Failure& failure) {
    problem = failure.what();
  }
  bool scan = false;
  {
    const std::lock_guard lock(mutex_);
    if (!problem.empty()) {
      ++statistics_.failed_writes;
      note_problem(problem);
      pause_until_ = Clock::now() + kPauseAfterFailure;
    } else {
      ++statistics_.stored;
      statistics_.bytes_written += static_cast<std::int64_t>(bytes.size());
      unscanned_bytes_ += size;
    }
    scan = problem.empty() && (!scanned_ || unscanned_bytes_ > limit * kScanShare);
    if (scan) scanned_ = true, unscanned_bytes_ = 0;
  }
  if (!scan) return;
  const std::int64_t removed = shrink_cache_folder(options.folder, limit, limit * kKeep);
  const std::lock_guard lock(mutex_);
  statistics_.removed += removed;
}

void FeatureCache::note_problem(const std::string& message) {
  if (statistics_.problem.empty()) statistics_.problem = message;
}

std::int64_t FeatureCache::clear() {
  const CacheOptions options = this->options();
  {
    const std::lock_guard lock(mutex_);
    memory_.clear();
  }
  return shrink_cache_folder(options.folder, -1, -1);
}

CacheStatistics FeatureCache::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

CacheOptions FeatureCache::options() const {
  const std::lock_guard lock(mutex_);
  return options_;
}

FeatureCache& feature_cache() {
  static FeatureCache cache;
  return cache;
}

void configure_feature_cache(const CacheOptions& options) {
  feature_cache().configure(options);
}

}  // namespace imatch
