// SPDX-License-Identifier: Apache-2.0
#include "gpu/agreement.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cosine_similarity.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randperm.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "gpu/networks.h"
#include "gpu/report.h"
#include "index/exact_index.h"
#include "match/nearest.h"
#include "nn/device_batches.h"

namespace imatch::testing {
namespace {

/// Largest difference in float32, as a share of the largest value: sums are formed in another order.
constexpr double kFloat32Difference = 1e-4;
/// Mean cosine of tokens with their float32 selves; bf16 keeps 8 bits, fp16 keeps 11.
constexpr double kBFloat16Cosine = 0.98, kHalfCosine = 0.999;

/// One image after another, directly: what batches through page-locked memory are held against.
std::vector<at::Tensor> one_by_one(const Forward& forward, const at::Tensor& images) {
  std::vector<std::vector<at::Tensor>> parts;
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    const std::vector<at::Tensor> outputs = forward(images.narrow(0, i, 1));
    parts.resize(outputs.size());
    for (std::size_t k = 0; k < outputs.size(); ++k) parts[k].push_back(outputs[k].contiguous());
  }
  std::vector<at::Tensor> whole;
  for (const std::vector<at::Tensor>& part : parts) whole.push_back(at::cat(part));
  return whole;
}

std::vector<at::Tensor> in_batches(const Forward& forward, const at::Tensor& images, c10::Device device,
                                   c10::ScalarType dtype) {
  constexpr std::int64_t kBatch = 2;
  std::vector<std::vector<at::Tensor>> parts;
  run_batches(
      static_cast<std::size_t>((images.size(0) + kBatch - 1) / kBatch), device, dtype,
      [&](std::size_t i) {
        const auto first = static_cast<std::int64_t>(i) * kBatch;
        return images.narrow(0, first, std::min(kBatch, images.size(0) - first));
      },
      forward,
      [&](std::size_t, const std::vector<at::Tensor>& outputs) {
        parts.resize(outputs.size());
        for (std::size_t k = 0; k < outputs.size(); ++k) parts[k].push_back(outputs[k].contiguous());
      });
  std::vector<at::Tensor> whole;
  for (const std::vector<at::Tensor>& part : parts) whole.push_back(at::cat(part));
  return whole;
}

double relative_difference(const std::vector<at::Tensor>& exact, const std::vector<at::Tensor>& other) {
  double worst = 0;
  for (std::size_t k = 0; k < exact.size(); ++k) {
    const double difference = (exact[k] - other[k]).abs().max().item<double>();
    worst = std::max(worst, difference / exact[k].abs().max().item<double>());
    if (!std::isfinite(difference)) return difference;
  }
  return worst;
}

double mean_cosine(const at::Tensor& exact, const at::Tensor& other) {
  const std::int64_t dim = exact.dim() == 4 ? 1 : exact.dim() - 1;  // channels of a map, width of a token
  return at::cosine_similarity(exact, other, dim).mean().item<double>();
}

Features tokens_as_features(const at::Tensor& tokens, int rows, int cols) {
  Features features;
  features.tokens = tokens;
  features.global = tokens.mean(0);
  features.rows = rows, features.cols = cols;
  features.image_width = 14 * cols, features.image_height = 14 * rows;
  features.original_from_grid = {{14, 0, 0, 0, 14, 0}};
  return features;
}

}  // namespace

int check_networks(c10::Device device, Extent extent) {
  const at::NoGradGuard no_gradients;
  int failures = 0;
  for (const NetworkCase& network : network_cases(extent == Extent::kFull ? 0 : 2)) {
    at::manual_seed(3);
    const at::Tensor images = at::randn({3, 3, network.image_px, network.image_px + network.image_px / 2});
    const std::vector<at::Tensor> exact = one_by_one(network.open(c10::kCPU, at::kFloat), images);
    const auto on_device = [&](c10::ScalarType dtype) {
      return in_batches(network.open(device, dtype), images, device, dtype);
    };
    const double difference = relative_difference(exact, on_device(at::kFloat));
    const double bf16 = mean_cosine(exact[0], on_device(at::kBFloat16)[0]);
    bool passed = difference <= kFloat32Difference && bf16 >= kBFloat16Cosine;
    std::string line =
        fmt::format("{:<20} fp32 differs by {:.1e} of the largest value; mean cosine bf16 {:.5f}",
                    network.name, difference, bf16);
    if (!device.is_cpu()) {  // which has no fast products of that type
      const double fp16 = mean_cosine(exact[0], on_device(at::kHalf)[0]);
      passed = passed && fp16 >= kHalfCosine;
      line += fmt::format(", fp16 {:.6f}", fp16);
    }
    failures += report(passed, line);
  }
  return failures;
}

int check_matching(c10::Device device, Extent extent) {
  const at::NoGradGuard no_gradients;
  at::manual_seed(5);
  const int rows = extent == Extent::kFull ? 48 : 24, cols = rows;
  const at::Tensor a = at::randn({rows * cols, 384});
  const at::Tensor b = a.index_select(0, at::randperm(rows * cols)) + 0.7 * at::randn({rows * cols, 384});
  const MutualNearestOptions options{.max_features = 100'000, .keypoint_th = 0};
  const auto matched = [&](c10::Device where) {
    return mutual_nearest(tokens_as_features(a.to(where), rows, cols),
                          tokens_as_features(b.to(where), rows, cols), options);
  };
  const Matches exact = matched(c10::kCPU), other = matched(device);
  // In falling similarity: neighbours in the list that are as good as equal may change places.
  std::vector<std::pair<int, int>> of_cpu, of_device, common;
  double difference = 0;
  for (std::size_t k = 0; k < exact.size(); ++k) of_cpu.emplace_back(exact.idx_a[k], exact.idx_b[k]);
  for (std::size_t k = 0; k < other.size(); ++k) of_device.emplace_back(other.idx_a[k], other.idx_b[k]);
  for (std::size_t k = 0; k < std::min(exact.size(), other.size()); ++k)
    difference = std::max(difference, std::abs(1.0 * exact.similarity[k] - other.similarity[k]));
  std::ranges::sort(of_cpu), std::ranges::sort(of_device);
  std::ranges::set_intersection(of_cpu, of_device, std::back_inserter(common));
  const bool same = common.size() == of_cpu.size() && common.size() == of_device.size();
  return report(same && common.size() > of_cpu.size() / 2 && !of_cpu.empty() && difference <= 1e-5,
                fmt::format("{:<20} {} of {} matches the same; similarity differs by {:.1e}",
                            "mutual_nearest", common.size(), of_cpu.size(), difference));
}

int check_exact_index(c10::Device device, Extent extent) {
  int failures = 0;
  at::manual_seed(7);
  const std::int64_t count = extent == Extent::kFull ? 200'000 : 20'000;
  at::Tensor vectors = at::randn({count, 128});
  vectors.narrow(0, 100, 50).copy_(vectors.narrow(0, 0, 50));  // ties, which go by position
  const at::Tensor queries = at::cat({vectors.narrow(0, 0, 50), at::randn({50, 128})});
  for (const char* metric : {"inner_product", "l2"}) {
    const auto found = [&](const std::string& where) {
      return ExactIndex(vectors, {.metric = metric, .device = where}).search(queries, 10);
    };
    const Neighbours exact = found("cpu"), other = found(device.str());
    const auto differing = exact.ids.ne(other.ids).sum().item<std::int64_t>();
    const double difference = (exact.scores - other.scores).abs().max().item<double>();
    failures +=
        report(differing == 0 && difference <= 1e-4,
               fmt::format("{:<20} {} of {} neighbours differ; scores by {:.1e}",
                           fmt::format("exact index, {}", metric), differing, exact.ids.numel(), difference));
  }
  return failures;
}

}  // namespace imatch::testing
