// SPDX-License-Identifier: Apache-2.0
//
// A record is its length, eight hexadecimal digits, and its bytes.
#include "redis/redis_buffer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "base/error.h"
#include "base/file.h"

namespace imatch {
namespace {

constexpr std::size_t kHead = 8;

}  // namespace

RedisBuffer::RedisBuffer(std::string path, std::size_t limit_bytes)
    : path_(std::move(path)), limit_bytes_(limit_bytes) {
  std::error_code ignored;
  if (!std::filesystem::exists(path_, ignored)) {
    const std::string folder = std::filesystem::path(path_).parent_path().string();
    if (!folder.empty()) make_folder(folder);
    return;
  }
  const std::string bytes = read_file(path_);
  while (end_ + kHead <= bytes.size()) {
    std::size_t size = 0;
    const char* head = bytes.data() + end_;
    const auto [stop, error] = std::from_chars(head, head + kHead, size, 16);
    if (error != std::errc() || stop != head + kHead || size > bytes.size() - end_ - kHead) break;
    offsets_.push_back(end_);
    end_ += kHead + size;
  }
  if (end_ < bytes.size()) std::filesystem::resize_file(path_, end_);
}

bool RedisBuffer::append(const std::vector<std::string>& records) {
  std::string bytes;
  std::vector<std::size_t> starts;
  for (const std::string& record : records) {
    starts.push_back(end_ + bytes.size());
    bytes += fmt::format("{:08x}", record.size()) + record;
  }
  if (!offsets_.empty() && offsets_.front() > limit_bytes_ / 2) {
    compact();
    return append(records);
  }
  if (end_ + bytes.size() > limit_bytes_) return false;
  const int file =
      ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);  // it holds a user's data
  const bool written = file >= 0 &&
                       ::write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
                       ::fsync(file) == 0;
  const int error = errno;
  if (file >= 0) ::close(file);
  if (!written) {
    if (file >= 0 && ::truncate(path_.c_str(), static_cast<off_t>(end_)) != 0) end_ = 0;
    throw Failure(error == ENOSPC ? code::kNoSpace : code::kUnwritable,
                  fmt::format("{}: {}", path_, std::strerror(error)));
  }
  offsets_.insert(offsets_.end(), starts.begin(), starts.end());
  end_ += bytes.size();
  return true;
}

std::vector<std::string> RedisBuffer::first(std::size_t count) const {
  count = std::min(count, offsets_.size());
  std::vector<std::string> records;
  if (count == 0) return records;
  const std::string bytes = read_file(path_);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t next = i + 1 < offsets_.size() ? offsets_[i + 1] : end_;
    records.push_back(bytes.substr(offsets_[i] + kHead, next - offsets_[i] - kHead));
  }
  return records;
}

void RedisBuffer::drop(std::size_t count) {
  offsets_.erase(offsets_.begin(),
                 offsets_.begin() + static_cast<std::ptrdiff_t>(std::min(count, offsets_.size())));
  if (offsets_.empty()) {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
    end_ = 0;
  }
}

/// Rewrites the file without what was dropped.
void RedisBuffer::compact() {
  const std::size_t gone = offsets_.empty() ? end_ : offsets_.front();
  const std::string bytes = read_file(path_);
  write_file_atomically(path_, std::string_view(bytes).substr(gone, end_ - gone));
  for (std::size_t& offset : offsets_) offset -= gone;
  end_ -= gone;
}

}  // namespace imatch
