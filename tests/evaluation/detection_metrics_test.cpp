// SPDX-License-Identifier: Apache-2.0
#include "evaluation/detection_metrics.h"

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "base/error.h"
#include "catch.h"

namespace imatch {
namespace {

const std::vector<float> kScores{0.1F, 0.4F, 0.35F, 0.8F, 0.4F};
const std::vector<std::uint8_t> kAnomalous{0, 0, 1, 1, 1};

TEST_CASE("auroc counts pairs, ties by half") {
  // Pairs (anomalous, normal): .35>.1, .35<.4, .8>.1, .8>.4, .4>.1, .4=.4
  CHECK(auroc(kScores, kAnomalous) == Approx((1 + 0 + 1 + 1 + 1 + 0.5) / 6));
  CHECK(std::isnan(auroc(kScores, std::vector<std::uint8_t>(5, 1))));
  CHECK_THROWS_AS(auroc(kScores, std::vector<std::uint8_t>(4)), Error);
}

TEST_CASE("average precision sums precision over the steps of recall") {
  // 0.8: 1/1 at 1/3; 0.4 (one of either kind): 2/3 at 2/3; 0.35: 3/4 at 1
  CHECK(average_precision(kScores, kAnomalous) == Approx((1.0 + 2.0 / 3 + 3.0 / 4) / 3));
}

TEST_CASE("the best F1 is taken at a score that occurs, where score >= threshold is anomalous") {
  const F1Threshold best = best_f1(kScores, kAnomalous);
  CHECK(best.threshold == Approx(0.35F));
  CHECK(best.f1 == Approx(2 * 0.75 * 1 / 1.75));
  const DetectionCounts counts = count_detections(kScores, kAnomalous, best.threshold);
  CHECK(counts.true_positives == 3);
  CHECK(counts.false_positives == 1);
  CHECK(counts.f1() == Approx(best.f1));
  CHECK(best_f1(kScores, std::vector<std::uint8_t>(5, 0)).threshold == Approx(0.8F));
  CHECK(best_f1(kScores, std::vector<std::uint8_t>(5, 1)).threshold == Approx(0.1F));
}

TEST_CASE("aupro averages regions, whatever their size, and stops at its limit") {
  // Two regions, of 1 and of 2 pixels, and 7 normal pixels.
  const std::vector<at::Tensor> masks{at::tensor({1, 0, 0, 0, 0, 0, 0, 0, 1, 1}, at::kByte).view({1, 10})};
  // The single pixel is found first, then one normal pixel, then the others.
  const std::vector<at::Tensor> maps{
      at::tensor({0.9F, 0.1F, 0.1F, 0.1F, 0.1F, 0.1F, 0.1F, 0.8F, 0.7F, 0.7F}).view({1, 10})};
  // PRO 0.5 until FPR 1/7, then 1.
  CHECK(aupro(maps, masks, 1.0 / 7) == Approx(0.5));
  CHECK(aupro(maps, masks, 1.0) == Approx(0.5 / 7 + 6.0 / 7));
  // At 0.3: a rectangle to 1/7 and another one behind.
  CHECK(aupro(maps, masks, 0.3) == Approx((0.5 / 7 + 0.3 - 1.0 / 7) / 0.3));
  CHECK(std::isnan(aupro(maps, std::vector<at::Tensor>{at::zeros({1, 10}, at::kByte)})));
  CHECK_THROWS_AS(aupro(maps, masks, 0), Error);
}

TEST_CASE("regions of aupro hang together by corners") {
  const std::vector<at::Tensor> masks{at::tensor({1, 0, 0, 0, 1, 0, 0, 0, 0}, at::kByte).view({3, 3})};
  const std::vector<at::Tensor> maps{at::tensor({1.F, 0.F, 0.F, 0.F, -1.F, 0.F, 0.F, 0.F, 0.F}).view({3, 3})};
  // One region of two pixels: half of it is found at no false positive, the rest behind all normal pixels.
  CHECK(aupro(maps, masks, 0.5) == Approx(0.5));
}

}  // namespace
}  // namespace imatch
