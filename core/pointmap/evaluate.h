// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "base/options.h"
#include "pointmap/data_folder.h"
#include "pointmap/model.h"

namespace imatch {

struct PointMapEvaluationOptions {
  PointMapDataOptions data;
  PointMapPointOptions points;
  std::vector<double> fscore_shares = {0.01, 0.02};
  double pck_share = 0.1;

  using Self = PointMapEvaluationOptions;
  static constexpr auto fields =
      std::tuple{field("data", &Self::data, anything(), "Which samples."),
                 field("points", &Self::points, anything(), "Which predicted points count."),
                 field("fscore_shares", &Self::fscore_shares, in_range(0, 1),
                       "Distances of the F-scores, in diagonals of the truth's box."),
                 field("pck_share", &Self::pck_share, in_range(0, 1),
                       "Distance of PCK, in largest sides of the truth's box.")};
};

/// Compares predictions with rasterised samples. A table: `samples`, one a sample with id, points and, for
/// canonical_ and posed_, chamfer_l1 and chamfer_l2 (see PointCloudDistance), chamfer_share (the first by the
/// diagonal), fscore_<share> and pck (over the pixels that the truth has, whatever the occupancy); `mean`, of
/// those that have points; `loss` of the set with `points` and `occupancy`, beside `constant_points` and
/// `constant_occupancy`, the least that one point and one confidence for all pixels of a layer, and one
/// occupancy a layer, can have. Throws Failure as PointMapFolder and the readers.
Json evaluate_point_maps(const PointMapModel& model, const std::string& root,
                         const PointMapEvaluationOptions& options);

}  // namespace imatch
