// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace imatch {

/// Random access to the bytes of a file or of memory, so that the headers of a picture can be read without
/// the picture. Every read is checked against the end; reading past it gives nothing instead of an error.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  virtual std::uint64_t size() const = 0;
  /// Copies `count` bytes from `offset`; false, with nothing promised about `out`, when they are not all
  /// there.
  virtual bool read(std::uint64_t offset, void* out, std::size_t count) const = 0;

  std::optional<std::uint8_t> u8(std::uint64_t offset) const;
  /// Unsigned integer of `bytes` (1 to 8) bytes.
  std::optional<std::uint64_t> integer(std::uint64_t offset, int bytes, bool big_endian) const;
  /// `count` bytes as text; nothing when they are not all there.
  std::optional<std::string> text(std::uint64_t offset, std::size_t count) const;
  bool has(std::uint64_t offset, std::string_view expected) const;
};

/// Bytes in memory; they must outlive the source.
class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  bool read(std::uint64_t offset, void* out, std::size_t count) const override;

 private:
  std::string_view bytes_;
};

/// A file read through a small window, a few system calls for the headers of a large picture.
class FileSource : public ByteSource {
 public:
  /// Throws Failure (not_found, not_a_file, unreadable).
  explicit FileSource(const std::string& path);
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  std::uint64_t size() const override { return size_; }
  bool read(std::uint64_t offset, void* out, std::size_t count) const override;

 private:
  bool read_through(std::uint64_t offset, void* out, std::size_t count) const;

  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  mutable std::string window_;
  mutable std::uint64_t window_offset_ = 0;
};

}  // namespace imatch
