// SPDX-License-Identifier: Apache-2.0
#include "io/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "base/error.h"
#include "base/file.h"
#include "base/mapped_memory.h"

namespace imatch {
namespace {

struct Mapping {
  Mapping(void* start, std::size_t size, const std::string& path)
      : watched_(start, size, path), start_(start), size_(size) {}
  ~Mapping() { ::munmap(start_, size_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

 private:
  WatchedMapping watched_;
  void* start_;
  std::size_t size_;
};

}  // namespace

ByteRange ByteRange::part(std::size_t offset, std::size_t count) const {
  if (offset > bytes.size() || count > bytes.size() - offset)
    throw std::out_of_range(fmt::format("{} bytes at {} of a buffer of {}", count, offset, bytes.size()));
  return {owner, bytes.subspan(offset, count)};
}

ByteRange map_file(const std::string& path) {
  require_file(path);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status;
  int error = fd < 0 || ::fstat(fd, &status) != 0 ? errno : 0;
  void* start = nullptr;
  const std::size_t size = error ? 0 : static_cast<std::size_t>(status.st_size);
  if (!error && size > 0) {
    // NORESERVE: a file larger than the memory may be mapped, its pages are clean and can be dropped.
    start = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
    if (start == MAP_FAILED) error = errno;
  }
  if (fd >= 0) ::close(fd);
  if (error) throw Failure(code::kUnreadable, fmt::format("{}: cannot read: {}", path, std::strerror(error)));
  if (size == 0) return {};
  return {std::make_shared<Mapping>(start, size, path), {static_cast<std::byte*>(start), size}};
}

ByteRange own_bytes(std::string bytes) {
  auto owner = std::make_shared<std::string>(std::move(bytes));
  const std::span<std::byte> view(reinterpret_cast<std::byte*>(owner->data()), owner->size());
  return {std::move(owner), view};
}

}  // namespace imatch
