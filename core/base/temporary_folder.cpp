// SPDX-License-Identifier: Apache-2.0
#include "base/temporary_folder.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"

namespace imatch {

TemporaryFolder::TemporaryFolder()
    : path_((std::filesystem::temp_directory_path() / "imatch-lua-XXXXXX").string()) {
  if (!::mkdtemp(path_.data()))
    throw Failure(code::kUnwritable,
                  fmt::format("{}: cannot make a folder: {}", path_, std::strerror(errno)));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace imatch
