// SPDX-License-Identifier: Apache-2.0
#include "evaluation/point_cloud_metrics.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "evaluation/point_tree.h"

namespace imatch {
namespace {

using CloudPoints = std::vector<PointTree::Point>;

CloudPoints cloud_points(const at::Tensor& tensor, const char* what) {
  if (tensor.dim() != 2 || tensor.size(1) != 3 || tensor.size(0) == 0)
    throw Error(
        fmt::format("point cloud: the {} points have {} axes and {} rows; expected [N, 3] with N >= 1", what,
                    tensor.dim(), tensor.dim() > 0 ? tensor.size(0) : 0));
  const at::Tensor rows = tensor.to(at::kCPU, at::kDouble).contiguous();
  if (!rows.isfinite().all().item<bool>())
    throw Error(fmt::format("point cloud: the {} points are not all finite", what));
  CloudPoints points(static_cast<std::size_t>(rows.size(0)));
  std::copy_n(rows.const_data_ptr<double>(), rows.numel(), points.front().data());
  return points;
}

/// From each point to the nearest of the others.
std::vector<double> nearest_distances(const CloudPoints& from, const CloudPoints& to) {
  const PointTree tree(to);
  std::vector<double> found(from.size());
  at::parallel_for(0, static_cast<std::int64_t>(from.size()), 256, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto n = static_cast<std::size_t>(i);
      const auto& nearest = to[static_cast<std::size_t>(tree.nearest(from[n]))];
      found[n] = std::hypot(from[n][0] - nearest[0], from[n][1] - nearest[1], from[n][2] - nearest[2]);
    }
  });
  return found;
}

double mean_distance(const std::vector<double>& values, bool squared) {
  double sum = 0;
  for (const double value : values) sum += squared ? value * value : value;
  return sum / static_cast<double>(values.size());
}

double share_nearer(const std::vector<double>& values, double limit) {
  return static_cast<double>(std::ranges::count_if(values, [&](double value) { return value <= limit; })) /
         static_cast<double>(values.size());
}

std::array<double, 3> box_sides(const CloudPoints& points) {
  std::array<double, 3> sides{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const auto [low, high] =
        std::ranges::minmax(points, {}, [&](const PointTree::Point& point) { return point[axis]; });
    sides[axis] = high[axis] - low[axis];
  }
  return sides;
}

}  // namespace

PointCloudDistance point_cloud_distance(const at::Tensor& predicted, const at::Tensor& truth,
                                        const std::vector<double>& shares) {
  const CloudPoints a = cloud_points(predicted, "predicted"), b = cloud_points(truth, "true");
  const std::vector<double> there = nearest_distances(a, b), back = nearest_distances(b, a);
  const auto sides = box_sides(b);
  PointCloudDistance result{.chamfer_l1 = (mean_distance(there, false) + mean_distance(back, false)) / 2,
                            .chamfer_l2 = mean_distance(there, true) + mean_distance(back, true),
                            .diagonal = std::hypot(sides[0], sides[1], sides[2]),
                            .fscore = {},
                            .precision = {},
                            .recall = {}};
  for (const double share : shares) {
    const double precision = share_nearer(there, share * result.diagonal);
    const double recall = share_nearer(back, share * result.diagonal);
    result.precision.push_back(precision);
    result.recall.push_back(recall);
    result.fscore.push_back(precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0);
  }
  return result;
}

double correct_points(const at::Tensor& predicted, const at::Tensor& truth, double share) {
  const CloudPoints a = cloud_points(predicted, "predicted"), b = cloud_points(truth, "true");
  if (a.size() != b.size())
    throw Error(fmt::format("PCK: {} predicted and {} true points; expected as many", a.size(), b.size()));
  const auto sides = box_sides(b);
  const double limit = share * std::ranges::max(sides);
  std::size_t correct = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    correct += std::hypot(a[i][0] - b[i][0], a[i][1] - b[i][1], a[i][2] - b[i][2]) <= limit;
  return static_cast<double>(correct) / static_cast<double>(a.size());
}

}  // namespace imatch
