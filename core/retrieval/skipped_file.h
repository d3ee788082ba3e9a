// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace imatch {

/// A file that was left out, and why.
struct SkippedFile {
  std::string path;
  std::string reason;
};

}  // namespace imatch
