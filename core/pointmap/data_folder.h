// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/field.h"

namespace imatch {

struct PointMapDataOptions {
  std::string include, exclude;
  int skip_multiples_of = 5000;

  using Self = PointMapDataOptions;
  static constexpr auto fields = std::tuple{
      field("include", &Self::include, anything(),
            "File with the ids that are taken, one a line; empty: all."),
      field("exclude", &Self::exclude, anything(), "File with the ids that are left out, one a line."),
      field("skip_multiples_of", &Self::skip_multiples_of, at_least(0),
            "Ids that are multiples of this number are left out, as the published code does; 0: none.")};
};

/// Those of `found` that the options leave, sorted. Throws Failure (not_found) for a list of ids that cannot
/// be read or names an id that is not there; `where` says where that is.
std::vector<std::string> chosen_ids(const std::set<std::string>& found, const PointMapDataOptions& options,
                                    const std::string& where);

/// A folder of samples: renders/<id>_rgb.png (or images/), masks/<id>_mask.png, features/<id>_feat.png or
/// .npy, pointmaps_<resolution>/<id>.npz.
class PointMapFolder {
 public:
  /// Throws Failure (not_found) when there is no such folder.
  explicit PointMapFolder(std::string root);

  /// The ids of its pictures: chosen_ids of them.
  std::vector<std::string> ids(const PointMapDataOptions& options) const;

  std::string image(std::string_view id) const;
  std::string mask(std::string_view id) const;
  /// With ".png" or ".npy".
  std::string features(std::string_view id, std::string_view extension) const;
  std::string point_map(std::string_view id, int resolution) const;
  bool has_features(std::string_view id, std::string_view extension) const;

 private:
  std::string root_, images_;
};

}  // namespace imatch
