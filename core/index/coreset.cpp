// SPDX-License-Identifier: Apache-2.0
#include "index/coreset.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "base/error.h"
#include "base/stop.h"
#include "index/exact_index.h"
#include "index/farthest_first.h"
#include "index/random_index.h"

namespace imatch {
namespace {

constexpr std::int64_t kApproximateDims = 128;
constexpr std::int64_t kAnchors = 10;
constexpr std::int64_t kProjectedBlock = 8192;

/// rows * matrix^T, block by block: beside the result nothing large is made.
at::Tensor projected(const at::Tensor& rows, const at::Tensor& matrix) {
  const at::Tensor columns = matrix.to(rows.device()).t();
  at::Tensor result = at::empty({rows.size(0), matrix.size(0)}, rows.options().dtype(at::kFloat));
  for (std::int64_t first = 0; first < rows.size(0); first += kProjectedBlock) {
    check_stop();
    const std::int64_t some = std::min(kProjectedBlock, rows.size(0) - first);
    at::Tensor block = result.narrow(0, first, some);
    at::mm_out(block, rows.narrow(0, first, some).to(at::kFloat), columns);
  }
  return result;
}

/// torch.nn.Linear without bias as it is made: uniform within +-1 / sqrt(D).
at::Tensor dense_projection(std::int64_t input_dims, std::int64_t dims, std::mt19937_64& random) {
  at::Tensor matrix = at::empty({dims, input_dims}, at::kFloat);
  const double reach = 1 / std::sqrt(static_cast<double>(input_dims));
  float* const values = matrix.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < matrix.numel(); ++i)
    values[i] = static_cast<float>(reach * (2 * random_unit(random) - 1));
  return matrix;
}

at::Tensor sparse_projection_by(std::int64_t input_dims, std::int64_t dims, std::mt19937_64& random) {
  at::Tensor matrix = at::zeros({dims, input_dims}, at::kFloat);
  const double density = 1 / std::sqrt(static_cast<double>(input_dims));
  const auto size = static_cast<float>(std::sqrt(1 / density / static_cast<double>(dims)));
  float* const values = matrix.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < matrix.numel(); ++i) {
    const double number = random_unit(random);
    if (number < density) values[i] = number < density / 2 ? size : -size;
  }
  return matrix;
}

at::Tensor pick_farthest(FarthestFirst& traversal, std::vector<std::int64_t> picks, std::int64_t count,
                         const CoresetProgress& progress) {
  while (static_cast<std::int64_t>(picks.size()) < count) {
    check_stop();
    const FarthestFirst::Farthest next = traversal.farthest();
    if (!(next.square > 0))
      throw Failure(code::kNoResult,
                    fmt::format("coreset: {} rows are asked for, but only {} differ from each "
                                "other; lower the ratio",
                                count, picks.size()));
    traversal.pick(next.row);
    picks.push_back(next.row);
    if (progress) progress(static_cast<std::int64_t>(picks.size()), count);
  }
  return at::tensor(picks, at::kLong);
}

void require_picks(const at::Tensor& rows, std::int64_t count) {
  if (rows.dim() != 2 || count < 1 || count > rows.size(0))
    throw Error(fmt::format("coreset: {} picks are not allowed; expected 1 to {}, the number of rows", count,
                            rows.dim() == 2 ? rows.size(0) : 0));
}

}  // namespace

std::int64_t coreset_dims(std::int64_t n, double eps) {
  const double dims = 4 * std::log(static_cast<double>(n)) / (eps * eps / 2 - eps * eps * eps / 3);
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(dims));
}

at::Tensor sparse_projection(std::int64_t input_dims, std::int64_t dims, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  return sparse_projection_by(input_dims, dims, random);
}

at::Tensor k_centres(const at::Tensor& rows, std::int64_t count, std::int64_t start, bool keep_start,
                     const CoresetProgress& progress) {
  const at::NoGradGuard no_gradients;
  require_picks(rows, count);
  if (start < 0 || start >= rows.size(0))
    throw Error(fmt::format("coreset: start {} is not allowed; expected 0 to {}", start, rows.size(0) - 1));
  const at::Tensor points = rows.to(at::kFloat).contiguous();
  FarthestFirst traversal(
      points, at::full({points.size(0)}, std::numeric_limits<float>::infinity(), points.options()));
  traversal.pick(start);
  std::vector<std::int64_t> picks;
  if (keep_start) picks.push_back(start);
  return pick_farthest(traversal, std::move(picks), count, progress);
}

at::Tensor k_centres_from_mean(const at::Tensor& rows, std::int64_t count, const at::Tensor& anchors,
                               const CoresetProgress& progress) {
  const at::NoGradGuard no_gradients;
  require_picks(rows, count);
  const at::Tensor points = rows.to(at::kFloat).contiguous();
  at::Tensor mean = at::zeros({points.size(0)}, points.options());
  for (std::int64_t a = 0; a < anchors.size(0); ++a)
    for (std::int64_t first = 0; first < points.size(0); first += kProjectedBlock) {
      const std::int64_t some = std::min(kProjectedBlock, points.size(0) - first);
      mean.narrow(0, first, some)
          .add_(at::linalg_vector_norm(
              points.narrow(0, first, some).sub(points[anchors[a].item<std::int64_t>()]), 2,
              at::IntArrayRef{1}));
    }
  FarthestFirst traversal(points, mean.div(anchors.size(0)).square());
  return pick_farthest(traversal, {}, count, progress);
}

at::Tensor coreset(const at::Tensor& rows, const CoresetOptions& options, const CoresetProgress& progress) {
  const at::NoGradGuard no_gradients;
  if (rows.dim() != 2 || rows.size(0) == 0) throw Error("coreset: expected rows [n, D] with n of 1 or more");
  const std::int64_t n = rows.size(0);
  const auto count = static_cast<std::int64_t>(static_cast<double>(n) * options.ratio);
  if (count < 1)
    throw Error(fmt::format("coreset: ratio {} of {} rows leaves none; expected {} or more", options.ratio, n,
                            1.0 / static_cast<double>(n)));
  std::mt19937_64 random(static_cast<std::uint64_t>(options.seed));
  if (options.method == "greedy") {
    const std::int64_t start = random_below(random, n);
    const at::Tensor points =
        options.project
            ? projected(rows, sparse_projection_by(rows.size(1), coreset_dims(n, options.eps), random))
            : rows;
    return k_centres(points, count, start, options.start == "kept", progress);
  }
  const std::int64_t num_anchors = std::min(kAnchors, n);
  std::vector<std::int64_t> anchors;
  while (static_cast<std::int64_t>(anchors.size()) < num_anchors) {
    const std::int64_t row = random_below(random, n);
    if (std::ranges::find(anchors, row) == anchors.end()) anchors.push_back(row);
  }
  const at::Tensor points =
      options.project ? projected(rows, dense_projection(rows.size(1), kApproximateDims, random)) : rows;
  return k_centres_from_mean(points, count, at::tensor(anchors, at::kLong), progress);
}

at::Tensor coreset_beside(const at::Tensor& rows, const at::Tensor& present, const CoresetOptions& options,
                          const CoresetProgress& progress) {
  const at::NoGradGuard no_gradients;
  if (rows.dim() != 2 || present.dim() != 2 || rows.size(1) != present.size(1))
    throw Error("coreset: expected rows [n, D] and those present [M, D] of the same D");
  const auto count = static_cast<std::int64_t>(static_cast<double>(rows.size(0)) * options.ratio);
  at::Tensor points = rows.to(at::kFloat).contiguous(), known = present.to(rows.device(), at::kFloat);
  if (options.project) {
    std::mt19937_64 random(static_cast<std::uint64_t>(options.seed));
    const std::int64_t dims = coreset_dims(rows.size(0) + present.size(0), options.eps);
    const at::Tensor matrix = sparse_projection_by(rows.size(1), dims, random);
    points = projected(points, matrix);
    known = projected(known, matrix);
  }
  const ExactIndex index(known, {.metric = "l2", .device = rows.device().str()});
  FarthestFirst traversal(points, index.search(points, 1).scores.squeeze(1).to(rows.device()));
  std::vector<std::int64_t> picks;
  while (static_cast<std::int64_t>(picks.size()) < count && traversal.farthest().square > 0) {
    check_stop();
    picks.push_back(traversal.farthest().row);
    traversal.pick(picks.back());
    if (progress) progress(static_cast<std::int64_t>(picks.size()), count);
  }
  return at::tensor(picks, at::kLong);
}

}  // namespace imatch
