// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/lru.h"
#include "base/options.h"
#include "feature/features.h"

namespace imatch {

struct CacheOptions {
  std::string folder;
  double max_mb = 8192;
  double memory_mb = 512;
  bool enabled = true;
  /// Write what the memory tier drops instead of everything at once: for features that one job alone needs.
  bool write_when_dropped = false;
  static constexpr auto fields = std::tuple{
      field("folder", &CacheOptions::folder, anything(),
            "Folder of the entries; empty: `features` in the user's cache folder."),
      field("max_mb", &CacheOptions::max_mb, at_least(0),
            "Size on disk (MB of 10^6 bytes) above which the entries that were used least recently go; 0: "
            "nothing on disk."),
      field("memory_mb", &CacheOptions::memory_mb, at_least(0),
            "Size of the tier in memory, which spares reading again; 0: none."),
      field("enabled", &CacheOptions::enabled, anything(), "False: nothing is looked up or kept.")};
};

/// Counted since the process began, or since the cache was last configured.
struct CacheStatistics {
  std::int64_t memory_hits = 0;
  std::int64_t disk_hits = 0;
  std::int64_t misses = 0;
  std::int64_t stored = 0;
  std::int64_t removed = 0;
  std::int64_t corrupt = 0;
  std::int64_t failed_reads = 0;
  std::int64_t failed_writes = 0;
  std::int64_t bytes_read = 0;
  std::int64_t bytes_written = 0;
  double read_ms = 0;
  double saved_ms = 0;
  std::string problem;
  static constexpr auto fields = std::tuple{
      field("memory_hits", &CacheStatistics::memory_hits, at_least(0), "Found in memory."),
      field("disk_hits", &CacheStatistics::disk_hits, at_least(0), "Found in the folder."),
      field("misses", &CacheStatistics::misses, at_least(0), "Found in neither."),
      field("stored", &CacheStatistics::stored, at_least(0), "Entries written to the folder."),
      field("removed", &CacheStatistics::removed, at_least(0), "Entries removed to keep to the size."),
      field("corrupt", &CacheStatistics::corrupt, at_least(0), "Entries that were damaged, and dropped."),
      field("failed_reads", &CacheStatistics::failed_reads, at_least(0), "Entries that could not be read."),
      field("failed_writes", &CacheStatistics::failed_writes, at_least(0),
            "Entries that could not be written."),
      field("bytes_read", &CacheStatistics::bytes_read, at_least(0), "From the folder."),
      field("bytes_written", &CacheStatistics::bytes_written, at_least(0), "To the folder."),
      field("read_ms", &CacheStatistics::read_ms, at_least(0), "Time that the hits in the folder took."),
      field("saved_ms", &CacheStatistics::saved_ms, anything(),
            "Time that computing the hits again would have taken, less read_ms."),
      field("problem", &CacheStatistics::problem, anything(),
            "The first failure to read or write, in words; empty: none.")};
};

/// Everything that features depend on.
struct FeatureKey {
  std::string_view image_digest{};    ///< Image::digest().
  std::string_view backbone{};        ///< Backbone::spec(), with every option.
  std::string_view weights_sha256{};  ///< Of the weights file; "" without weights.
  std::string_view more{};            ///< Whatever else shapes the result (device, version of a kernel).
};

/// SHA-256 over the parts and the version of the format: 64 hexadecimal digits.
std::string feature_key(const FeatureKey& parts);

/// Features by content key: a tier in memory over one in a folder that any number of processes may share.
/// Entries are written under a temporary name and renamed; each has a checksum, and a damaged one is dropped
/// and counts as a miss. A folder that cannot be read or written, or a full disk, never fails the caller: see
/// CacheStatistics::problem. All methods may be called from any thread.
class FeatureCache {
 public:
  explicit FeatureCache(const CacheOptions& options = {});

  /// Starts anew with other options: memory tier and statistics are emptied, files stay.
  void configure(const CacheOptions& options);

  /// The features of that key, or nullptr.
  std::shared_ptr<const Features> get(const std::string& key);

  /// Keeps features under their key; `compute_ms`: what it took to make them, for the statistics. Tensors
  /// that lie on a GPU are kept there in memory, and come back from disk on the CPU. Throws Error when the
  /// key is not 64 hexadecimal digits.
  void put(const std::string& key, std::shared_ptr<const Features> features, double compute_ms = 0);

  /// Removes every entry from memory and disk; returns how many files went.
  std::int64_t clear();

  CacheStatistics statistics() const;
  /// With the folder resolved.
  CacheOptions options() const;

 private:
  struct Entry {
    std::shared_ptr<const Features> features;
    double compute_ms = 0;
    bool on_disk = false;
  };
  using Memory = Lru<std::string, Entry>;

  bool may_write() const;
  void write(const std::string& key, const Features& features, double compute_ms);
  void write_dropped(const std::vector<Memory::Item>& dropped);
  void note_problem(const std::string& message);

  mutable std::mutex mutex_;
  CacheOptions options_;
  CacheStatistics statistics_;
  Memory memory_;
  double unscanned_bytes_ = 0;  ///< Written since the folder was last measured.
  bool scanned_ = false;
  std::chrono::steady_clock::time_point pause_until_;  ///< After a failed write.
};

/// The cache of this process.
FeatureCache& feature_cache();
void configure_feature_cache(const CacheOptions& options);

}  // namespace imatch
