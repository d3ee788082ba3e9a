// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace imatch {

/// Part of a buffer that `owner` keeps alive.
struct ByteRange {
  std::shared_ptr<const void> owner;
  std::span<std::byte> bytes;

  std::size_t size() const { return bytes.size(); }
  /// Throws std::out_of_range past the end.
  ByteRange part(std::size_t offset, std::size_t count) const;
};

/// The whole file, mapped: pages are read from the disk when they are touched, and shared with other
/// processes until they are written to. Writing changes this process's copy, never the file. Where another
/// program shortens the file meanwhile, zeros are read and require_whole_mappings (base/mapped_memory.h)
/// throws. Throws Failure (not_found, not_a_file, unreadable).
ByteRange map_file(const std::string& path);

/// A copy of `size` bytes from `bytes` that can be handed around like a mapped file.
ByteRange own_bytes(std::string bytes);

}  // namespace imatch
