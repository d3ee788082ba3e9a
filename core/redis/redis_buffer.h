// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace imatch {

/// Records in a file, first in, first out, that survive the process. Never larger than its limit. One process
/// has the file at a time: while another one has it, this one's records go to <file>.1, <file>.2, ..., and
/// whoever comes next takes up what ended processes left in any of them.
class RedisBuffer {
 public:
  /// Takes up what earlier processes left; a record that was being written when one died is dropped. Throws
  /// Failure (unwritable, unreadable; bad_format, and nothing is changed, where a file is something else).
  RedisBuffer(std::string path, std::size_t limit_bytes);
  ~RedisBuffer();
  RedisBuffer(const RedisBuffer&) = delete;
  RedisBuffer& operator=(const RedisBuffer&) = delete;

  /// Adds the first of the records, as many as the limit allows, and says how many. Flushed to the disk.
  /// Throws Failure (unwritable, no_space): nothing was added then.
  std::size_t append(const std::vector<std::string>& records);
  /// The first records, at most `count`.
  std::vector<std::string> first(std::size_t count) const;
  /// Forgets the first `count` records; the file goes with the last.
  void drop(std::size_t count);
  std::size_t size() const { return offsets_.size(); }
  /// The file that this process has, or would take.
  const std::string& path() const { return path_; }

 private:
  bool take(const std::string& path, bool make);
  void take_own();
  void take_up_others(const std::string& own);
  void compact();

  std::string wanted_, path_;
  std::size_t limit_bytes_;
  int file_ = -1;                     ///< Locked while it is open.
  std::vector<std::size_t> offsets_;  ///< Of the records not yet dropped.
  std::size_t end_ = 0;               ///< Of the last whole record.
};

}  // namespace imatch
