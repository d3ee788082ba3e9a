// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

namespace imatch::testing {

/// Whether a case found nothing to test with. The program then ends with 77, which CTest counts as skipped,
/// not as passed.
inline bool has_skipped = false;

/// The folder of real photographs and maps, or nothing where IMATCH_TEST_DATA is not set: the case is then
/// skipped.
inline std::optional<std::string> test_data() {
  const char* folder = std::getenv("IMATCH_TEST_DATA");
  if (folder && *folder) return folder;
  std::cout << "skipped: IMATCH_TEST_DATA is not set\n";
  has_skipped = true;
  return std::nullopt;
}

}  // namespace imatch::testing
