// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace imatch {

/// The way by which every file of ours comes to the disk: written beside its place, flushed, closed, and only
/// then given its name, each step checked. A reader sees the old file or the whole new one, never a part,
/// also after kill -9 or on a full disk. A file that is replaced keeps its permissions. What is no regular
/// file (a pipe, a terminal, /dev/null) is never replaced: the bytes go into it.
class FileWriter {
 public:
  /// Makes missing folders. `durable` false skips the flush to the disk, for files that can be made again.
  /// Throws Failure (unwritable, no_space), as do write and finish.
  explicit FileWriter(std::string path, bool durable = true);
  /// Unless finish() came back, the file is as it was before.
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void write(std::string_view bytes);
  void finish();

 private:
  std::string path_, temporary_;  ///< No temporary name: the bytes go straight into what is there.
  bool durable_;
  int file_ = -1;
};

/// A new name is on the disk once its folder is: for files that must be there after a power cut at once, not
/// in some seconds. It costs as much as a small file. (Not every file system flushes folders; those keep the
/// order.)
void flush_name(const std::string& path);

/// Gives what another library has written and closed under `temporary` its name, flushed before. Throws
/// Failure (unwritable, no_space), without a trace of the temporary file.
void publish_file(const std::string& temporary, const std::string& path);

/// A file that grows line by line, such as a log. What is added is there for others after flush().
class FileAppender {
 public:
  /// `anew`: what is there is given up. Throws Failure (unwritable, no_space), as does flush.
  FileAppender(std::string path, bool anew);
  ~FileAppender();
  FileAppender(const FileAppender&) = delete;
  FileAppender& operator=(const FileAppender&) = delete;

  void add(std::string_view bytes) { waiting_ += bytes; }
  void flush();

 private:
  std::string path_, waiting_;
  int file_;
};

/// Writes all of it to a descriptor; signals do not cut it short. False, and errno, when that fails.
bool write_whole(int descriptor, std::string_view bytes) noexcept;

/// Throws the Failure of a write to `path` with that errno: no_space or unwritable.
[[noreturn]] void fail_write(const std::string& path, int error);

}  // namespace imatch
