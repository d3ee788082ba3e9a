// SPDX-License-Identifier: Apache-2.0
//
// Compared with what the published code gives (dualpm_small.npz of the test data).
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include "catch.h"

#include "io/npz.h"
#include "nn/dual_point_map.h"
#include "nn/formula_weights.h"
#include "pointmap/constant_loss.h"
#include "pointmap/loss.h"
#include "test_data.h"
#include "train/adam.h"

namespace {

using namespace imatch;

TEST_CASE("point map loss: the published code's, and three steps of its training") {
  const auto data = testing::test_data();
  if (!data) return;
  const StateDict fixture = read_npz(*data + "/fixtures/dualpm_small.npz");
  const DualPointMapShape shape = testing::small_dual_point_map();
  WeightsCheckpoint checkpoint("formula", testing::formula_weights(shape), c10::kCPU, at::kFloat,
                               WeightsCheckpoint::Purpose::kTraining);
  const DualPointMap network(shape, checkpoint);
  std::vector<at::Tensor> parameters;
  for (const auto& [name, parameter] : checkpoint.parameters()) parameters.push_back(parameter);
  Adam adam(parameters, {});
  const at::Tensor features = fixture.find("x")->permute({0, 3, 1, 2}), target = *fixture.find("target");
  const at::Tensor amounts = point_map_amounts(target, false);
  for (const double expected : {11.702317, 30.838507, 15.655430}) {
    const PointMapLosses losses = point_map_losses(network(features), target, amounts, shape, 1, false);
    if (adam.steps() == 0) {
      CHECK(losses.points.item<double>() == Approx(10.914712).margin(1e-4));
      CHECK(losses.occupancy.item<double>() == Approx(0.787605).margin(1e-4));
    }
    // Adam divides by small numbers: what rounding does to a step grows with the next ones.
    CHECK((losses.points + losses.occupancy).item<double>() ==
          Approx(expected).epsilon(adam.steps() == 0 ? 1e-5 : 1e-3));
    (losses.points + losses.occupancy).backward();
    adam.step();
  }
}

TEST_CASE("point map loss: two halves of a batch with the amounts of both are the batch") {
  const DualPointMapShape shape = testing::small_dual_point_map();
  const at::Tensor output = at::rand({4, 32, 8, 8}), target = at::rand({4, 28, 8, 8});
  for (const bool whole_picture : {false, true}) {
    const at::Tensor amounts = point_map_amounts(target, whole_picture);
    const auto total = [&](std::int64_t first, std::int64_t count) {
      const PointMapLosses losses = point_map_losses(
          output.narrow(0, first, count), target.narrow(0, first, count), amounts, shape, 1, whole_picture);
      return (losses.points + losses.occupancy).item<double>();
    };
    CHECK(total(0, 1) + total(1, 3) == Approx(total(0, 4)).epsilon(1e-5));
  }
}

TEST_CASE("point map loss: no constant prediction is better than the best one") {
  at::Tensor target = at::rand({28, 6, 6}) * 0.3;
  for (int layer = 0; layer < 4; ++layer) target.select(0, 7 * layer + 6).copy_(at::rand({6, 6}).gt(0.4));
  ConstantLoss constant;
  constant.add(target);
  const DualPointMapShape shape = testing::small_dual_point_map();
  const at::Tensor whole = target.unsqueeze(0), maps = target.reshape({4, 7, 36});
  const at::Tensor occupied = maps.narrow(1, 6, 1);
  at::Tensor best = at::zeros({4, 8, 36});
  best.narrow(1, 0, 6).copy_(
      ((maps.narrow(1, 0, 6) * occupied).sum(2, true) / occupied.sum(2, true)).expand({4, 6, 36}));
  double least = 1e9;
  for (double raw = -3; raw < 6; raw += 0.02) {
    best.select(1, 7).fill_(raw);
    least = std::min(least, point_map_losses(best.reshape({1, 32, 6, 6}), whole,
                                             point_map_amounts(whole, false), shape, 1, false)
                                .points.item<double>());
  }
  CHECK(constant.points() <= least + 1e-4);
  CHECK(constant.points() == Approx(least).margin(0.2));  // each layer has a confidence of its own
  CHECK(constant.occupancy() > 0);
}

}  // namespace
