// SPDX-License-Identifier: Apache-2.0
#include "pointmap/loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log1p.h>
#include <ATen/ops/stack.h>

namespace imatch {
namespace {

constexpr std::int64_t kTargetChannels = 7;
constexpr double kLeastOccupancy = 0.01, kMostOccupancy = 0.99;

at::Tensor layers_of(const at::Tensor& target) {
  return target.reshape({target.size(0), -1, kTargetChannels, target.size(2), target.size(3)});
}

}  // namespace

at::Tensor point_map_amounts(const at::Tensor& target, bool whole_picture) {
  const at::Tensor occupancy = layers_of(target).select(2, 6);
  const at::Tensor first = occupancy.select(1, 0);
  const at::Tensor learned =
      whole_picture ? at::full({}, static_cast<double>(first.numel()), target.options()) : first.sum();
  return at::stack({occupancy.sum(), learned}).clamp_min(1e-12);
}

PointMapLosses point_map_losses(const at::Tensor& output, const at::Tensor& target, const at::Tensor& amounts,
                                const DualPointMapShape& shape, double alpha, bool whole_picture) {
  const at::Tensor wanted = layers_of(target);
  const at::Tensor made =
      output.to(at::kFloat).reshape({output.size(0), wanted.size(1), -1, output.size(2), output.size(3)});
  const at::Tensor occupancy = wanted.select(2, 6);
  const auto squares = [&](std::int64_t first) {
    return (made.narrow(2, first, 3) - wanted.narrow(2, first, 3)).square().sum(2);
  };
  at::Tensor error = (squares(0) + squares(3)) * 0.5;
  const bool several = shape.layers > 1;
  if (several || shape.confidence) {
    const at::Tensor more = at::exp(made.select(2, several ? 7 : 6));
    error = (more + 1) * error - at::log1p(more) * alpha;
  }
  PointMapLosses losses{.points = (error * occupancy).sum() / amounts.select(0, 0), .occupancy = {}};
  if (!several) return losses;
  const at::Tensor entropy = at::binary_cross_entropy_with_logits(
      made.select(2, 6), occupancy.clamp(kLeastOccupancy, kMostOccupancy), {}, {}, at::Reduction::None);
  const at::Tensor learned = whole_picture ? entropy : entropy * occupancy.narrow(1, 0, 1);
  losses.occupancy = learned.sum() / amounts.select(0, 1) / static_cast<double>(shape.layers);
  return losses;
}

}  // namespace imatch
