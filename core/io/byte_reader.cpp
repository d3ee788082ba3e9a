// SPDX-License-Identifier: Apache-2.0
#include "io/byte_reader.h"

#include <fmt/format.h>

#include "base/error.h"

namespace imatch {

void ByteReader::seek(std::uint64_t position) {
  if (position > bytes_.size())
    fail(fmt::format("truncated: {} bytes, but something lies at {}", bytes_.size(), position));
  position_ = static_cast<std::size_t>(position);
}

std::span<const std::byte> ByteReader::take(std::uint64_t count) {
  if (count > left()) fail(fmt::format("truncated: {} bytes wanted, {} left", count, left()));
  const auto part = bytes_.subspan(position_, static_cast<std::size_t>(count));
  position_ += part.size();
  return part;
}

std::string_view ByteReader::text(std::uint64_t count) {
  const auto part = take(count);
  return {reinterpret_cast<const char*>(part.data()), part.size()};
}

std::string_view ByteReader::line() {
  const std::string_view rest(reinterpret_cast<const char*>(bytes_.data()) + position_, left());
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) fail("truncated: a line does not end");
  position_ += end + 1;
  return rest.substr(0, end);
}

void ByteReader::fail(const std::string& what) const {
  throw Failure(code::kBadFormat, fmt::format("{}: {} at byte {}", name_, what, position_));
}

}  // namespace imatch
