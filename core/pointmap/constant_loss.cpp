// SPDX-License-Identifier: Apache-2.0
#include "pointmap/constant_loss.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>

namespace imatch {

void ConstantLoss::add(const at::Tensor& target) {
  const at::Tensor maps = target.to(at::kDouble).reshape({-1, 7, target.size(1), target.size(2)});
  const at::Tensor points = maps.narrow(1, 0, 6), occupancy = maps.narrow(1, 6, 1),
                   first = occupancy.narrow(0, 0, 1);
  const auto accumulate = [](at::Tensor& to, const at::Tensor& more) {
    to = to.defined() ? to + more : more;
  };
  accumulate(count_, occupancy.sum({1, 2, 3}));
  accumulate(sum_, (points * occupancy).sum({2, 3}));
  accumulate(squares_, (points.square() * occupancy).sum({1, 2, 3}));
  accumulate(occupied_, (occupancy.clamp(0.01, 0.99) * first).sum({1, 2, 3}));
  learned_ += first.sum().item<double>();
}

/// With half the summed variance V of both points the loss c V - log c is least at c = 1 / V, or c = 1.
double ConstantLoss::points() const {
  double loss = 0, all = 0;
  for (std::int64_t layer = 0; layer < count_.size(0); ++layer) {
    const double count = count_[layer].item<double>();
    if (count <= 0) continue;
    const double variance =
        (squares_[layer].item<double>() - sum_[layer].square().sum().item<double>() / count) / count / 2;
    const double confidence = std::max(1.0, 1 / std::max(variance, 1e-12));
    loss += count * (confidence * variance - std::log(confidence));
    all += count;
  }
  return all > 0 ? loss / all : 0;
}

double ConstantLoss::occupancy() const {
  double loss = 0;
  for (std::int64_t layer = 0; layer < occupied_.size(0) && learned_ > 0; ++layer) {
    const double share = occupied_[layer].item<double>() / learned_;
    if (share > 0 && share < 1) loss -= share * std::log(share) + (1 - share) * std::log(1 - share);
  }
  return loss / static_cast<double>(std::max<std::int64_t>(1, occupied_.size(0)));
}

}  // namespace imatch
