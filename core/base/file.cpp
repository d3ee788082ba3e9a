// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/file_writer.h"

namespace imatch {
namespace fs = std::filesystem;
namespace {

/// A file descriptor that is closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail_read(const std::string& path, int error) {
  if (error == ENOENT || error == ENOTDIR) throw Failure(code::kNotFound, path + ": no such file");
  throw Failure(code::kUnreadable, fmt::format("{}: cannot read: {}", path, std::strerror(error)));
}

/// Opens for reading, after making sure that it is a regular file (a FIFO would block for ever).
int open_regular(const std::string& path, struct stat* status) {
  if (::stat(path.c_str(), status) != 0) fail_read(path, errno);
  if (!S_ISREG(status->st_mode))
    throw Failure(code::kNotAFile, path + (S_ISDIR(status->st_mode) ? ": is a folder, not a file"
                                                                    : ": is not a regular file"));
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail_read(path, errno);
  return fd;
}

/// In the place of a home: a folder of this user's alone, since everybody may make folders beside it. Throws
/// Failure (unwritable) where there is one of somebody else, or one that is open to others.
std::string folder_without_home() {
  const std::string path = fmt::format("{}/imatch-lua-{}", fs::temp_directory_path().string(), ::geteuid());
  ::mkdir(path.c_str(), 0700);
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() ||
      (status.st_mode & 077) != 0)
    throw Failure(code::kUnwritable,
                  path + ": is no folder of this user's alone (0700); set HOME, XDG_CACHE_HOME or --cache");
  return path;
}

std::string user_folder(const char* variable, const char* below_home) {
  if (const char* base = std::getenv(variable); base && *base) return std::string(base) + "/imatch-lua";
  const char* home = std::getenv("HOME");
  return (home && *home ? home : folder_without_home()) + below_home + "/imatch-lua";
}

}  // namespace

void require_file(const std::string& path) {
  struct stat status;
  Descriptor file(open_regular(path, &status));
}

std::string read_file(const std::string& path, std::size_t limit) {
  struct stat status;
  Descriptor file(open_regular(path, &status));
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > limit)
    throw Failure(code::kTooLarge, fmt::format("{}: {} bytes, at most {} are accepted", path, size, limit));
  std::string bytes(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const ssize_t n = ::read(file.get(), bytes.data() + got, size - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_read(path, errno);
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  bytes.resize(got);
  return bytes;
}

void write_file_atomically(const std::string& path, std::string_view bytes, bool durable) {
  write_file_atomically(path, std::span(&bytes, 1), durable);
}

void write_file_atomically(const std::string& path, std::span<const std::string_view> parts, bool durable) {
  FileWriter file(path, durable);
  for (const std::string_view part : parts) file.write(part);
  file.finish();
}

bool create_file_exclusively(const std::string& path, std::string_view bytes) {
  const int raw = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (raw < 0 && errno == EEXIST) return false;
  if (raw < 0) fail_write(path, errno);
  const bool is_whole = write_whole(raw, bytes);
  const int error = errno;
  if ((::close(raw) != 0 && is_whole) || !is_whole) {
    const int of_close = errno;
    ::unlink(path.c_str());
    fail_write(path, is_whole ? of_close : error);
  }
  return true;
}

void make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error || !fs::is_directory(path, error))
    throw Failure(error == std::errc::no_space_on_device ? code::kNoSpace : code::kUnwritable,
                  fmt::format("{}: cannot make the folder: {}", path,
                              error ? error.message() : "a file is in its place"));
}

std::string user_cache_folder() {
  return user_folder("XDG_CACHE_HOME", "/.cache");
}
std::string user_state_folder() {
  return user_folder("XDG_STATE_HOME", "/.local/state");
}

std::string file_name_from(std::string_view text) {
  std::string name(text);
  for (char& c : name)
    if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '.' &&
        c != '_' && c != '-')
      c = '_';
  return name;
}

}  // namespace imatch
