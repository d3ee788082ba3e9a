// SPDX-License-Identifier: Apache-2.0
#include "evaluation/detection_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <opencv2/imgproc.hpp>

#include "base/error.h"

namespace imatch {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

void require_pairs(std::size_t scores, std::size_t labels) {
  if (scores != labels)
    throw Error(fmt::format("detection metrics: {} scores and {} labels; expected as many", scores, labels));
}

void require_same_pixels(const at::Tensor& map, const at::Tensor& mask, std::size_t n) {
  if (map.dim() != 2 || mask.sizes() != map.sizes())
    throw Error(fmt::format("pixel metrics: map and mask {} differ in shape; expected two [H, W]", n));
}

/// Calls step(score, positives, negatives) for every distinct score from the highest down, with how many of
/// either kind have it or more.
template <class Step>
void descend(std::span<const float> scores, std::span<const std::uint8_t> anomalous, const Step& step) {
  require_pairs(scores.size(), anomalous.size());
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  std::size_t positives = 0, negatives = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    (anomalous[order[i]] ? positives : negatives) += 1;
    if (i + 1 == order.size() || scores[order[i + 1]] != scores[order[i]])
      step(scores[order[i]], positives, negatives);
  }
}

std::size_t count_anomalous(std::span<const std::uint8_t> anomalous) {
  return static_cast<std::size_t>(
      std::ranges::count_if(anomalous, [](std::uint8_t one) { return one != 0; }));
}

/// A pixel of the per-region overlap: its score, and its share of its region's and all regions' overlap; 0: a
/// normal one.
struct OverlapPixel {
  float score;
  float share;
};

}  // namespace

double auroc(std::span<const float> scores, std::span<const std::uint8_t> anomalous) {
  double area = 0, last_positives = 0, last_negatives = 0;
  descend(scores, anomalous, [&](float, std::size_t positives, std::size_t negatives) {
    const auto up = static_cast<double>(positives), right = static_cast<double>(negatives);
    area += (right - last_negatives) * (up + last_positives) / 2;
    last_positives = up;
    last_negatives = right;
  });
  return last_positives > 0 && last_negatives > 0 ? area / (last_positives * last_negatives) : kNotANumber;
}

double average_precision(std::span<const float> scores, std::span<const std::uint8_t> anomalous) {
  const auto all = static_cast<double>(count_anomalous(anomalous));
  if (all == 0) return kNotANumber;
  double sum = 0, last = 0;
  descend(scores, anomalous, [&](float, std::size_t positives, std::size_t negatives) {
    const auto found = static_cast<double>(positives);
    sum += (found - last) / all * found / (found + static_cast<double>(negatives));
    last = found;
  });
  return sum;
}

F1Threshold best_f1(std::span<const float> scores, std::span<const std::uint8_t> anomalous) {
  if (scores.empty()) throw Error("best_f1: no scores are given");
  const std::size_t all = count_anomalous(anomalous);
  F1Threshold best{.f1 = -1};
  bool below_is_known = true;
  descend(scores, anomalous, [&](float score, std::size_t positives, std::size_t negatives) {
    if (!below_is_known) best.below = score;
    below_is_known = true;
    const double f1 = 2.0 * static_cast<double>(positives) / static_cast<double>(positives + negatives + all);
    if (best.f1 >= 0 && (f1 < best.f1 || all == 0)) return;
    best = {score, score, f1};
    below_is_known = false;
  });
  return best;
}

double DetectionCounts::f1() const {
  const std::size_t all = 2 * true_positives + false_positives + false_negatives;
  return all == 0 ? 0 : 2.0 * static_cast<double>(true_positives) / static_cast<double>(all);
}

DetectionCounts count_detections(std::span<const float> scores, std::span<const std::uint8_t> anomalous,
                                 double threshold) {
  require_pairs(scores.size(), anomalous.size());
  DetectionCounts counts;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const bool found = scores[i] >= threshold;
    if (anomalous[i])
      (found ? counts.true_positives : counts.false_negatives) += 1;
    else
      (found ? counts.false_positives : counts.true_negatives) += 1;
  }
  return counts;
}

double pixel_auroc(std::span<const at::Tensor> maps, std::span<const at::Tensor> masks) {
  require_pairs(maps.size(), masks.size());
  std::vector<float> scores;
  std::vector<std::uint8_t> anomalous;
  for (std::size_t n = 0; n < maps.size(); ++n) {
    require_same_pixels(maps[n], masks[n], n);
    const at::Tensor map = maps[n].to(at::kCPU, at::kFloat).contiguous();
    const at::Tensor mask = masks[n].to(at::kCPU).ne(0).to(at::kByte).contiguous();
    scores.insert(scores.end(), map.const_data_ptr<float>(), map.const_data_ptr<float>() + map.numel());
    anomalous.insert(anomalous.end(), mask.const_data_ptr<std::uint8_t>(),
                     mask.const_data_ptr<std::uint8_t>() + mask.numel());
  }
  return auroc(scores, anomalous);
}

double aupro(std::span<const at::Tensor> maps, std::span<const at::Tensor> masks, double limit) {
  require_pairs(maps.size(), masks.size());
  if (!(limit > 0 && limit <= 1))
    throw Error(fmt::format("aupro: limit {} is not allowed; expected a number in (0, 1]", limit));
  std::vector<OverlapPixel> pixels;
  std::size_t num_regions = 0, num_normal = 0;
  for (std::size_t n = 0; n < maps.size(); ++n) {
    require_same_pixels(maps[n], masks[n], n);
    const at::Tensor map = maps[n].to(at::kCPU, at::kFloat).contiguous();
    const at::Tensor mask = masks[n].to(at::kCPU).ne(0).to(at::kByte).contiguous();
    const cv::Mat view(static_cast<int>(mask.size(0)), static_cast<int>(mask.size(1)), CV_8U,
                       mask.mutable_data_ptr());
    cv::Mat labels;
    const int regions = cv::connectedComponents(view, labels, 8, CV_32S) - 1;
    std::vector<std::size_t> areas(static_cast<std::size_t>(regions) + 1);
    for (auto it = labels.begin<int>(); it != labels.end<int>(); ++it) ++areas[static_cast<std::size_t>(*it)];
    num_regions += static_cast<std::size_t>(regions);
    num_normal += areas[0];
    const float* score = map.const_data_ptr<float>();
    for (auto it = labels.begin<int>(); it != labels.end<int>(); ++it, ++score)
      pixels.push_back({*score, *it == 0 ? 0 : 1 / static_cast<float>(areas[static_cast<std::size_t>(*it)])});
  }
  if (num_regions == 0 || num_normal == 0) return kNotANumber;
  std::ranges::sort(pixels, [](const OverlapPixel& a, const OverlapPixel& b) { return a.score > b.score; });
  double area = 0, overlap = 0, last_overlap = 0, last_rate = 0;
  std::size_t false_positives = 0;
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    if (pixels[i].share > 0)
      overlap += pixels[i].share;
    else
      ++false_positives;
    if (i + 1 < pixels.size() && pixels[i + 1].score == pixels[i].score) continue;
    const double rate = static_cast<double>(false_positives) / static_cast<double>(num_normal);
    const double mean = overlap / static_cast<double>(num_regions);
    const double end = std::min(rate, limit);
    if (rate > last_rate) {
      const double at_end = last_overlap + (mean - last_overlap) * (end - last_rate) / (rate - last_rate);
      area += (end - last_rate) * (last_overlap + at_end) / 2;
    }
    last_rate = rate;
    last_overlap = mean;
    if (rate >= limit) break;
  }
  return area / limit;
}

}  // namespace imatch
