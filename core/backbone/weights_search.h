// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace imatch {

/// Published weights of one model: what they are called on a disk and where they come from.
struct PublishedWeights {
  std::string model;               ///< Begins the messages: "vits14".
  std::vector<std::string> files;  ///< In order of preference; "folder/config.json" stands for that folder.
  std::string source;              ///< Address of the page that hands them out.
};

inline constexpr std::string_view kWeightsLayouts[] = {"any", "file", "folder"};

/// Only its official files, only its folders of transformers, or both ("any").
PublishedWeights of_layout(PublishedWeights wanted, std::string_view layout);

/// Path of the first of `files` in the folder `root` or any folder below it; `root` empty: the folder named
/// by the environment variable WEIGHTS_ROOT. Of several files of one name the first in byte order is taken.
/// Throws Failure (not_found) that lists the names and the source when there is none, and when no root is
/// given; as list_files for a root that cannot be read.
std::string find_weights(const PublishedWeights& wanted, const std::string& root);

}  // namespace imatch
