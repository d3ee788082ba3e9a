// SPDX-License-Identifier: Apache-2.0
#include "sweep/cell_files.h"

#include <dirent.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/stop.h"

namespace imatch {
namespace {

constexpr std::size_t kCellsAtOnce = 4096;

/// Calls work(i) for i in [0, n) on a few threads; the first exception is passed on.
void in_parallel(std::size_t n, const std::function<void(std::size_t)>& work) {
  const std::size_t num_threads =
      std::min<std::size_t>({n / 64 + 1, std::max(1u, std::thread::hardware_concurrency()), 8});
  std::atomic<std::size_t> next{0};
  std::vector<std::exception_ptr> failures(num_threads);
  const auto loop = [&](std::size_t self) {
    try {
      for (std::size_t i; (i = next++) < n;) work(i);
    } catch (const std::exception&) {
      failures[self] = std::current_exception();
      next = n;
    }
  };
  std::vector<std::jthread> threads;
  for (std::size_t t = 1; t < num_threads; ++t) threads.emplace_back(loop, t);
  loop(0);
  threads.clear();
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

}  // namespace

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  DIR* stream = ::opendir(folder.c_str());
  if (!stream) {
    if (errno == ENOENT || errno == ENOTDIR) return names;
    throw Failure(code::kUnreadable,
                  fmt::format("{}: cannot list the folder: {}", folder, std::strerror(errno)));
  }
  while (const dirent* entry = ::readdir(stream))
    if (std::string_view name = entry->d_name; name != "." && name != "..") names.emplace_back(name);
  ::closedir(stream);
  std::sort(names.begin(), names.end());
  return names;
}

bool has_ending(std::string_view name, std::string_view ending) {
  return name.size() > ending.size() && name.substr(name.size() - ending.size()) == ending;
}

void read_cells(const std::vector<std::string>& paths,
                const std::function<void(std::size_t i, std::optional<CellRecord> record)>& take) {
  std::vector<std::optional<CellRecord>> records;
  for (std::size_t begin = 0; begin < paths.size(); begin += kCellsAtOnce) {
    check_stop();
    const std::size_t size = std::min(kCellsAtOnce, paths.size() - begin);
    records.assign(size, std::nullopt);
    in_parallel(size, [&](std::size_t i) {
      const std::string& path = paths[begin + i];
      try {
        records[i] = parse_cell(read_file(path), path);
      } catch (const Failure& failure) {
        if (failure.code() != code::kBadFormat && failure.code() != code::kNotFound) throw;
      }
    });
    for (std::size_t i = 0; i < size; ++i) take(begin + i, std::move(records[i]));
  }
}

bool write_if_changed(const std::string& path, std::string_view bytes) {
  std::error_code missing;
  if (std::filesystem::file_size(path, missing) == bytes.size() && !missing && read_file(path) == bytes)
    return false;
  write_file_atomically(path, bytes);
  return true;
}

}  // namespace imatch
