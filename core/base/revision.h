// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>
#include <utility>

namespace imatch {

/// Stages whose results are kept: to be raised when one computes something else from the same input. Features
/// carry that of `backbone` in their key, chunks of a map that of `localize`, a synthetic scene that of
/// `render`, and the cells of a sweep those of the modules that their code names.
inline constexpr std::array<std::pair<std::string_view, int>, 9> kRevisions{{{"image", 2},
                                                                             {"io", 1},
                                                                             {"features", 1},
                                                                             {"backbone", 3},
                                                                             {"match", 2},
                                                                             {"geo", 2},
                                                                             {"render", 1},
                                                                             {"index", 1},
                                                                             {"localize", 4}}};

constexpr int revision_of(std::string_view stage) {
  for (const auto& [name, revision] : kRevisions)
    if (name == stage) return revision;
  return 0;
}

}  // namespace imatch
