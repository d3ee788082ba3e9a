// SPDX-License-Identifier: Apache-2.0
//
// A line that says what the file is, then records: the length of each, eight hexadecimal digits, and its
// bytes.
#include "redis/redis_buffer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "base/file_writer.h"
#include "io/json_file.h"

namespace imatch {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTitle = "imatch-lua rows for Redis 1\n";
constexpr std::size_t kHead = 8;
constexpr mode_t kPrivate = 0600;  ///< It holds a user's data.

/// The records of a file; what a process that was killed while it wrote has left behind the last one is not
/// among them.
struct Content {
  std::vector<std::size_t> offsets;
  std::size_t end = 0;
  bool is_ours = true;
};

Content content_of(std::string_view bytes) {
  Content found;
  const bool is_titled = bytes.starts_with(kTitle);
  if (is_titled) found.end = kTitle.size();
  while (found.end + kHead <= bytes.size()) {
    std::size_t size = 0;
    const char* head = bytes.data() + found.end;
    const auto [stop, error] = std::from_chars(head, head + kHead, size, 16);
    if (error != std::errc() || stop != head + kHead || size > bytes.size() - found.end - kHead) break;
    found.offsets.push_back(found.end);
    found.end += kHead + size;
  }
  // Without a title it may be of an earlier version, which had none: then its first record is there and JSON.
  if (!is_titled)
    found.is_ours = found.offsets.empty()
                        ? kTitle.starts_with(bytes)
                        : Json::accept(bytes.substr(
                              kHead, (found.offsets.size() > 1 ? found.offsets[1] : found.end) - kHead));
  return found;
}

std::string framed(const std::string& record) {
  return fmt::format("{:08x}", record.size()) + record;
}

/// Opens and locks a file; -1 when another process has it, or when it is not there and is not to be made.
int open_locked(const std::string& path, bool make) {
  for (;;) {
    const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC | (make ? O_CREAT : 0), kPrivate);
    if (file < 0 && errno == ENOENT && !make) return -1;
    if (file < 0) fail_write(path, errno);
    struct stat held {
    }, there{};
    if (::fstat(file, &held) != 0 || !S_ISREG(held.st_mode)) {
      ::close(file);
      throw Failure(code::kNotAFile, path + ": is not a regular file");
    }
    const int locked = ::flock(file, LOCK_EX | LOCK_NB);
    if (locked != 0 && errno == EWOULDBLOCK) {
      ::close(file);
      return -1;
    }
    // Removed or replaced by its owner between the two calls: the name means another file now.
    if (::stat(path.c_str(), &there) == 0 && there.st_ino == held.st_ino && there.st_dev == held.st_dev)
      return file;
    ::close(file);
  }
}

}  // namespace

RedisBuffer::RedisBuffer(std::string path, std::size_t limit_bytes)
    : wanted_(std::move(path)), path_(wanted_), limit_bytes_(limit_bytes) {
  const std::string folder = fs::path(wanted_).parent_path().string();
  if (!folder.empty()) make_folder(folder);
  take(wanted_, false);
  take_up_others(wanted_);
}

RedisBuffer::~RedisBuffer() {
  if (file_ < 0) return;
  if (offsets_.empty()) ::unlink(path_.c_str());
  ::close(file_);
}

/// Makes the file this process's own, with what is in it. False when another process has it, or when it is
/// not there and is not to be made.
bool RedisBuffer::take(const std::string& path, bool make) {
  const int file = open_locked(path, make);
  if (file < 0) return false;
  try {
    Content found = content_of(read_file(path));
    if (!found.is_ours)
      throw Failure(code::kBadFormat,
                    path + ": holds something else than rows for Redis; give the buffer another name");
    file_ = file;
    path_ = path;
    offsets_ = std::move(found.offsets);
    end_ = found.end;
  } catch (const std::exception&) {
    ::close(file);
    throw;
  }
  return true;
}

void RedisBuffer::take_own() {
  for (int i = 0; file_ < 0; ++i) take(i == 0 ? wanted_ : fmt::format("{}.{}", wanted_, i), true);
}

/// Moves what ended processes left in <file>.1 and so on into ours, as far as it has room.
void RedisBuffer::take_up_others(const std::string& own) {
  const fs::path parent = fs::path(own).parent_path();
  const std::string name = fs::path(own).filename().string() + ".";
  std::error_code ignored;
  std::vector<std::string> others;
  for (const auto& entry : fs::directory_iterator(parent.empty() ? fs::path(".") : parent, ignored)) {
    const std::string other = entry.path().filename().string();
    if (other.size() > name.size() && other.starts_with(name) &&
        std::all_of(other.begin() + static_cast<std::ptrdiff_t>(name.size()), other.end(),
                    [](char c) { return c >= '0' && c <= '9'; }))
      others.push_back(entry.path().string());
  }
  std::sort(others.begin(), others.end());
  for (const std::string& other : others) {
    const int file = open_locked(other, false);
    if (file < 0) continue;
    try {
      const std::string bytes = read_file(other);
      const Content found = content_of(bytes);
      std::vector<std::string> records;
      for (std::size_t i = 0; i < found.offsets.size(); ++i) {
        const std::size_t next = i + 1 < found.offsets.size() ? found.offsets[i + 1] : found.end;
        records.push_back(bytes.substr(found.offsets[i] + kHead, next - found.offsets[i] - kHead));
      }
      if (found.is_ours && (records.empty() || append(records) == records.size())) ::unlink(other.c_str());
    } catch (const Failure&) {  // it stays where it is, for a later process
    }
    ::close(file);
  }
}

std::size_t RedisBuffer::append(const std::vector<std::string>& records) {
  take_own();
  if (!offsets_.empty() && offsets_.front() > limit_bytes_ / 2) compact();
  std::string bytes(end_ == 0 ? kTitle : "");
  std::vector<std::size_t> starts;
  for (const std::string& record : records) {
    if (end_ + bytes.size() + kHead + record.size() > limit_bytes_) break;
    starts.push_back(end_ + bytes.size());
    bytes += framed(record);
  }
  if (starts.empty()) return 0;
  const bool written = ::lseek(file_, static_cast<off_t>(end_), SEEK_SET) >= 0 && write_whole(file_, bytes) &&
                       ::ftruncate(file_, static_cast<off_t>(end_ + bytes.size())) == 0 &&
                       ::fsync(file_) == 0;
  if (!written) {
    const int error = errno;
    // Should this fail too, the rest of a record lies behind the last whole one, where the next one goes.
    (void)!::ftruncate(file_, static_cast<off_t>(end_));
    fail_write(path_, error);
  }
  offsets_.insert(offsets_.end(), starts.begin(), starts.end());
  end_ += bytes.size();
  return starts.size();
}

std::vector<std::string> RedisBuffer::first(std::size_t count) const {
  count = std::min(count, offsets_.size());
  std::vector<std::string> records;
  if (count == 0) return records;
  const std::size_t begin = offsets_.front(), end = count < offsets_.size() ? offsets_[count] : end_;
  std::string bytes(end - begin, '\0');
  for (std::size_t got = 0; got < bytes.size();) {
    const ssize_t n = ::pread(file_, bytes.data() + got, bytes.size() - got, static_cast<off_t>(begin + got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      throw Failure(code::kUnreadable,
                    fmt::format("{}: {}", path_, n == 0 ? "was cut short" : std::strerror(errno)));
    got += static_cast<std::size_t>(n);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t next = i + 1 < offsets_.size() ? offsets_[i + 1] : end_;
    records.push_back(bytes.substr(offsets_[i] + kHead - begin, next - offsets_[i] - kHead));
  }
  return records;
}

void RedisBuffer::drop(std::size_t count) {
  offsets_.erase(offsets_.begin(),
                 offsets_.begin() + static_cast<std::ptrdiff_t>(std::min(count, offsets_.size())));
  if (!offsets_.empty() || file_ < 0) return;
  ::unlink(path_.c_str());
  ::close(file_);
  file_ = -1;
  path_ = wanted_;
  end_ = 0;
}

/// Rewrites the file without what was dropped, as a new one that takes the old one's name and is locked
/// before.
void RedisBuffer::compact() {
  const std::vector<std::string> kept = first(offsets_.size());
  const std::string temporary = fmt::format("{}.{}.tmp", path_, ::getpid());
  const int file = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, kPrivate);
  std::string bytes(kTitle);
  std::vector<std::size_t> offsets;
  for (const std::string& record : kept) {
    offsets.push_back(bytes.size());
    bytes += framed(record);
  }
  const bool done = file >= 0 && ::flock(file, LOCK_EX | LOCK_NB) == 0 && write_whole(file, bytes) &&
                    ::fsync(file) == 0 && ::rename(temporary.c_str(), path_.c_str()) == 0;
  if (!done) {
    const int error = errno;
    if (file >= 0) ::close(file);
    ::unlink(temporary.c_str());
    fail_write(path_, error);
  }
  ::close(file_);
  file_ = file;
  offsets_ = std::move(offsets);
  end_ = bytes.size();
}

}  // namespace imatch
