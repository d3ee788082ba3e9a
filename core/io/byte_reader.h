// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace imatch {

static_assert(std::endian::native == std::endian::little,
              "the readers of core/io expect a little-endian machine");

/// Walks over a buffer. Every step is checked: past the end it throws Failure (bad_format) with the file's
/// name and the position.
class ByteReader {
 public:
  /// `name` begins the error messages and must outlive the reader.
  ByteReader(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  std::size_t position() const { return position_; }
  std::size_t left() const { return bytes_.size() - position_; }
  bool at_end() const { return left() == 0; }
  /// Moves to `position`, at most the size.
  void seek(std::uint64_t position);

  std::span<const std::byte> take(std::uint64_t count);
  std::string_view text(std::uint64_t count);
  /// Up to the next '\n', which is stepped over.
  std::string_view line();

  /// A little-endian number.
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

  /// Throws Failure (bad_format): "NAME: `what` at byte N".
  [[noreturn]] void fail(const std::string& what) const;

 private:
  std::span<const std::byte> bytes_;
  const std::string& name_;
  std::size_t position_ = 0;
};

}  // namespace imatch
