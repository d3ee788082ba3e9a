// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace imatch::testing {

/// A new empty folder, removed with all it holds at the end of the scope.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "imatch-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// The folder of real data (IMATCH_TEST_DATA), or "" when it is not set: the test then says what it skips.
inline std::string test_data() {
  const char* folder = std::getenv("IMATCH_TEST_DATA");
  return folder ? folder : "";
}

}  // namespace imatch::testing
