// SPDX-License-Identifier: Apache-2.0
#include "base/file_entry.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"

namespace imatch {

std::uint64_t file_bytes(const std::string& path) {
  require_file(path);
  return std::filesystem::file_size(path);
}

bool remove_file(const std::string& path) {
  std::error_code error;
  const bool removed = std::filesystem::remove(path, error);
  if (error) throw Failure(code::kUnwritable, fmt::format("{}: cannot remove: {}", path, error.message()));
  return removed;
}

}  // namespace imatch
