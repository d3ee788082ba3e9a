// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace imatch {

/// A file's mapped memory that is watched while the object lives. Another program may shorten the file: to
/// read what is gone then is SIGBUS, which would end the process. Instead zeros are read, and the next
/// require_whole_mappings throws.
class WatchedMapping {
 public:
  WatchedMapping(void* start, std::size_t size, const std::string& path);
  ~WatchedMapping();
  WatchedMapping(const WatchedMapping&) = delete;
  WatchedMapping& operator=(const WatchedMapping&) = delete;

  struct Entry;

 private:
  Entry* entry_;
};

/// Takes over SIGBUS, which the first mapping does else; to be called before others take it too.
void watch_mapped_memory();

/// What the handler does; for another handler of SIGBUS that stands in its place. False where the address is
/// in no watched memory. Async-signal-safe.
bool mend_mapped_memory(void* address) noexcept;

/// Throws Failure (unreadable) naming the file when, since the last call, mapped memory was read that its
/// file does not have any more. To be called where results are handed on: costs one look at a flag.
void require_whole_mappings();

}  // namespace imatch
