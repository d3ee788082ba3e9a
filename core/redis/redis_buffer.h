// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace imatch {

/// Records in a file, first in, first out, that survive the process. Never larger than its limit.
class RedisBuffer {
 public:
  /// Takes up what an earlier process left; a record that was being written when it died is dropped. Throws
  /// Failure (unwritable, unreadable).
  RedisBuffer(std::string path, std::size_t limit_bytes);

  /// False when the limit would be passed: nothing was written then. Flushed to the disk. Throws Failure
  /// (unwritable, no_space).
  bool append(const std::vector<std::string>& records);
  /// The first records, at most `count`.
  std::vector<std::string> first(std::size_t count) const;
  /// Forgets the first `count` records; the file goes with the last.
  void drop(std::size_t count);
  std::size_t size() const { return offsets_.size(); }
  const std::string& path() const { return path_; }

 private:
  void compact();

  std::string path_;
  std::size_t limit_bytes_;
  std::vector<std::size_t> offsets_;  ///< Of the records not yet dropped.
  std::size_t end_ = 0;               ///< Of the last whole record.
};

}  // namespace imatch
