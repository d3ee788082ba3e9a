// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace imatch {

/// How far two sets of points are apart. Distances are from each point to the nearest of the other set.
struct PointCloudDistance {
  double chamfer_l1 = 0;          ///< Half of the sum of the two means of distances.
  double chamfer_l2 = 0;          ///< Sum of the two means of squared distances.
  double diagonal = 0;            ///< Of the box around the second set.
  std::vector<double> fscore;     ///< For each share of the diagonal: harmonic mean of precision and recall.
  std::vector<double> precision;  ///< Share of the first set's points within it of the second.
  std::vector<double> recall;     ///< Share of the second set's points within it of the first.
};

/// predicted and true [N, 3] and [M, 3] of any real type. Throws Error for other shapes and empty sets.
PointCloudDistance point_cloud_distance(const at::Tensor& predicted, const at::Tensor& truth,
                                        const std::vector<double>& shares = {0.01, 0.02});

/// PCK: the share of points [N, 3] that lie within `share` of the largest side of the truth's box from where
/// they should be; row i belongs to row i. Throws Error for other shapes and no points.
double correct_points(const at::Tensor& predicted, const at::Tensor& truth, double share = 0.1);

}  // namespace imatch
