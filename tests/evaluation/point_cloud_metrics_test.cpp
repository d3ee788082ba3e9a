// SPDX-License-Identifier: Apache-2.0
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cdist.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>

#include "catch.h"

#include "evaluation/point_cloud_metrics.h"

namespace {

using namespace imatch;

TEST_CASE("point clouds: distances are those of all pairs") {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(4);
  const at::Tensor a = at::rand({300, 3}, generator), b = at::rand({170, 3}, generator);
  const at::Tensor all = at::cdist(a.to(at::kDouble), b.to(at::kDouble));
  const at::Tensor there = all.amin({1}), back = all.amin({0});
  const PointCloudDistance found = point_cloud_distance(a, b, {0.05});
  CHECK(found.chamfer_l1 == Approx((there.mean() + back.mean()).item<double>() / 2));
  CHECK(found.chamfer_l2 == Approx((there.square().mean() + back.square().mean()).item<double>()));
  CHECK(found.diagonal == Approx((b.amax({0}) - b.amin({0})).to(at::kDouble).norm().item<double>()));
  const double limit = 0.05 * found.diagonal;
  const double precision = there.le(limit).to(at::kDouble).mean().item<double>();
  const double recall = back.le(limit).to(at::kDouble).mean().item<double>();
  CHECK(found.precision[0] == Approx(precision));
  CHECK(found.recall[0] == Approx(recall));
  CHECK(found.fscore[0] == Approx(2 * precision * recall / (precision + recall)));
}

TEST_CASE("point clouds: the same points are nowhere apart, and other shapes are refused") {
  const at::Tensor a = at::rand({20, 3});
  const PointCloudDistance same = point_cloud_distance(a, a);
  CHECK(same.chamfer_l1 == 0);
  CHECK(same.fscore == std::vector<double>{1, 1});
  CHECK(correct_points(a, a) == 1);
  CHECK(correct_points(a + 2, a) == 0);
  CHECK_THROWS_WITH(point_cloud_distance(at::zeros({0, 3}), a),
                    Catch::Contains("expected [N, 3] with N >= 1"));
  CHECK_THROWS_WITH(correct_points(a, at::rand({19, 3})), Catch::Contains("20 predicted and 19 true points"));
}

}  // namespace
