// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <string>

namespace imatch::testing {

/// Prints what was compared; returns 1 when it differs.
inline int report(bool passed, const std::string& line) {
  fmt::print("{} {}\n", passed ? "ok    " : "FAILED", line);
  return passed ? 0 : 1;
}

}  // namespace imatch::testing
