// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/field.h"
#include "export/export_set.h"

namespace imatch {

struct HlocOptions {
  bool half = true;
  static constexpr auto fields =
      std::tuple{field("half", &HlocOptions::half, anything(),
                       "Descriptors and scores as float16, as hloc writes them; else float32.")};
};

/// Throws Failure (bad_format) for names that hloc cannot tell apart in its files: with blanks, which stand
/// between the names of pairs.txt, and two that are one with - for /, as matches.h5 has them ("A/x.jpg",
/// "A-x.jpg").
void require_hloc_names(const std::vector<std::string>& names);

/// The files of hloc (github.com/cvg/Hierarchical-Localization) in `folder`:
///   features.h5   a group each image: keypoints [N, 2] float32, descriptors [D, N], image_size [2]; in the
///   frame of the
///                 file as stored, where the centre of the top-left pixel is (0, 0)
///   matches.h5    a group each pair, with / in names as -: matches0 [N] (-1: none), matching_scores0 [N]
///   global.h5     a group each image: global_descriptor [D], where there are any
///   pairs.txt     a line each pair
/// Of several matches of one keypoint of a the most similar is written. Throws Failure: unwritable;
/// bad_format as require_hloc_names.
void write_hloc(const ExportSet& set, const std::string& folder, const HlocOptions& options = {});

}  // namespace imatch
