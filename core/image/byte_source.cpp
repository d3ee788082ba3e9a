// SPDX-License-Identifier: Apache-2.0
#include "image/byte_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/file.h"

namespace imatch {
namespace {

constexpr std::size_t kWindow = 16 * 1024;

}  // namespace

std::optional<std::uint8_t> ByteSource::u8(std::uint64_t offset) const {
  std::uint8_t value = 0;
  if (!read(offset, &value, 1)) return {};
  return value;
}

std::optional<std::uint64_t> ByteSource::integer(std::uint64_t offset, int bytes, bool big_endian) const {
  std::uint8_t raw[8];
  if (!read(offset, raw, static_cast<std::size_t>(bytes))) return {};
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | raw[big_endian ? i : bytes - 1 - i];
  return value;
}

std::optional<std::string> ByteSource::text(std::uint64_t offset, std::size_t count) const {
  if (offset > size() || count > size() - offset) return {};
  std::string bytes(count, '\0');
  if (!read(offset, bytes.data(), count)) return {};
  return bytes;
}

bool ByteSource::has(std::uint64_t offset, std::string_view expected) const {
  return text(offset, expected.size()) == expected;
}

bool MemorySource::read(std::uint64_t offset, void* out, std::size_t count) const {
  if (offset > bytes_.size() || count > bytes_.size() - offset) return false;
  std::memcpy(out, bytes_.data() + offset, count);
  return true;
}

FileSource::FileSource(const std::string& path) {
  require_file(path);
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
    const int error = errno;
    if (descriptor_ >= 0) ::close(descriptor_);
    throw Failure(code::kUnreadable, fmt::format("{}: cannot read: {}", path, std::strerror(error)));
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

FileSource::~FileSource() {
  ::close(descriptor_);
}

bool FileSource::read(std::uint64_t offset, void* out, std::size_t count) const {
  if (offset > size_ || count > size_ - offset) return false;
  if (count > kWindow) return read_through(offset, out, count);
  if (offset < window_offset_ || offset + count > window_offset_ + window_.size()) {
    window_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kWindow, size_ - offset)));
    window_offset_ = offset;
    if (!read_through(offset, window_.data(), window_.size())) {
      window_.clear();
      return false;
    }
  }
  std::memcpy(out, window_.data() + (offset - window_offset_), count);
  return true;
}

bool FileSource::read_through(std::uint64_t offset, void* out, std::size_t count) const {
  auto* bytes = static_cast<char*>(out);
  while (count > 0) {
    const ssize_t got = ::pread(descriptor_, bytes, count, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes += got;
    offset += static_cast<std::uint64_t>(got);
    count -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace imatch
