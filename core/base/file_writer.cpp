// SPDX-License-Identifier: Apache-2.0
#include "base/file_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"

namespace imatch {
namespace {

constexpr mode_t kNewFile = 0644;
constexpr std::size_t kLongestStem = 200;  ///< Of a temporary name: with its ending it stays below 255 bytes.

std::string folder_of(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

/// Whether the bytes must go into what is there: a device, a pipe, or what a descriptor's name stands for.
bool is_to_be_kept(const std::string& path, const struct stat& status) {
  return !S_ISREG(status.st_mode) || path == "/dev/stdout" || path == "/dev/stderr" ||
         path.starts_with("/dev/fd/") || path.starts_with("/proc/");
}

int close_checked(int* file) {
  const int result = ::close(*file);
  *file = -1;
  return result;
}

}  // namespace

void fail_write(const std::string& path, int error) {
  throw Failure(error == ENOSPC || error == EDQUOT ? code::kNoSpace : code::kUnwritable,
                fmt::format("{}: cannot write: {}", path, std::strerror(error)));
}

bool write_whole(int descriptor, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

void flush_name(const std::string& path) {
  const int folder = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  ::fsync(folder);
  ::close(folder);
}

FileWriter::FileWriter(std::string path, bool durable) : path_(std::move(path)), durable_(durable) {
  struct stat status {};
  const bool is_there = ::stat(path_.c_str(), &status) == 0;
  if (is_there && S_ISDIR(status.st_mode)) fail_write(path_, EISDIR);
  if (is_there && is_to_be_kept(path_, status)) {
    file_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (file_ < 0) fail_write(path_, errno);
    return;
  }
  static std::atomic<unsigned> counter{0};
  const std::string name = std::filesystem::path(path_).filename().string().substr(0, kLongestStem);
  temporary_ = fmt::format("{}/.{}.{}.{}.tmp", folder_of(path_), name, ::getpid(), counter++);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  file_ = ::open(temporary_.c_str(), kFlags, kNewFile);
  if (file_ < 0 && errno == ENOENT) {
    make_folder(folder_of(path_));
    file_ = ::open(temporary_.c_str(), kFlags, kNewFile);
  }
  if (file_ < 0) fail_write(path_, errno);
  if (is_there) ::fchmod(file_, status.st_mode & 07777);
}

FileWriter::~FileWriter() {
  if (file_ >= 0) ::close(file_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void FileWriter::write(std::string_view bytes) {
  if (!write_whole(file_, bytes)) fail_write(path_, errno);
}

void FileWriter::finish() {
  // A pipe or a terminal has nothing to be flushed to.
  if (durable_ && ::fdatasync(file_) != 0 && !(temporary_.empty() && (errno == EINVAL || errno == EROFS)))
    fail_write(path_, errno);
  if (close_checked(&file_) != 0) fail_write(path_, errno);
  if (temporary_.empty()) return;
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_write(path_, errno);
  temporary_.clear();
}

void publish_file(const std::string& temporary, const std::string& path) {
  int file = ::open(temporary.c_str(), O_RDONLY | O_CLOEXEC);
  int error = file < 0 || ::fsync(file) != 0 ? errno : 0;
  if (file >= 0 && close_checked(&file) != 0 && error == 0) error = errno;
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return;
  ::unlink(temporary.c_str());
  fail_write(path, error);
}

FileAppender::FileAppender(std::string path, bool anew) : path_(std::move(path)) {
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (anew ? O_TRUNC : 0);
  file_ = ::open(path_.c_str(), flags, kNewFile);
  if (file_ < 0) fail_write(path_, errno);
}

FileAppender::~FileAppender() {
  write_whole(file_, waiting_);  // who wants to know whether it arrived has called flush
  ::close(file_);
}

void FileAppender::flush() {
  if (!write_whole(file_, waiting_)) fail_write(path_, errno);
  waiting_.clear();
}

}  // namespace imatch
