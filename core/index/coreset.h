// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "base/field.h"

namespace imatch {

struct CoresetOptions {
  double ratio = 0.01;
  std::string method = "greedy";
  std::string start = "kept";
  bool project = true;
  double eps = 0.9;
  std::int64_t seed = 0;

  static constexpr std::string_view kMethods[] = {"greedy", "approximate"};
  static constexpr std::string_view kStarts[] = {"kept", "dropped"};
  using Self = CoresetOptions;
  static constexpr auto fields = std::tuple{
      field("ratio", &Self::ratio, in_range(0, 1),
            "Share of the rows that is picked; their number is rounded down."),
      field("method", &Self::method, one_of(kMethods),
            "'greedy': each pick is the row farthest from those before it. 'approximate': the same, but the "
            "first "
            "is the row with "
            "the largest mean distance to ten random ones."),
      field("start", &Self::start, one_of(kStarts),
            "Whether the random row that 'greedy' starts from is its first pick or only where distances "
            "begin."),
      field("project", &Self::project, anything(),
            "Measure distances after a random projection: 'greedy' with a sparse one to coreset_dims(n, eps) "
            "numbers, "
            "'approximate' with a dense one to 128."),
      field("eps", &Self::eps, in_range(0.05, 0.99),
            "Distances are kept within 1 +- eps with high probability (W. Johnson and J. Lindenstrauss, "
            "1984)."),
      field("seed", &Self::seed, in_range(0, 9007199254740992.0), "Of the start and the projection.")};
};

/// Told after every pick: how many there are and how many there will be.
using CoresetProgress = std::function<void(std::int64_t picked, std::int64_t total)>;

/// Rows of [n, D] that cover the others: ids [K] int64 on the CPU in the order of picking, K = int(n *
/// ratio). Greedy k-centre (O. Sener and S. Savarese, "Active learning for convolutional neural networks: a
/// core-set approach", 2018). Each pick is one pass over the projected rows, which measures, keeps the
/// smaller distance and finds the largest; no more than the projection and three numbers a row are kept. On a
/// GPU where the rows are on one. The result depends on the seed, not on the number of threads. Polls the
/// stop request. Throws Error when n * ratio is below 1, Failure (no_result) when there are fewer distinct
/// rows than picks.
at::Tensor coreset(const at::Tensor& rows, const CoresetOptions& options,
                   const CoresetProgress& progress = {});

/// Goes on from rows `present` [M, D] that are there already: at most int(n * ratio) of the others, farthest
/// first, fewer where the rest lie on rows present or picked. Projected as coreset. May return none.
at::Tensor coreset_beside(const at::Tensor& rows, const at::Tensor& present, const CoresetOptions& options,
                          const CoresetProgress& progress = {});

/// `count` picks without a projection: farthest-first from row `start`, which is the first pick or only seeds
/// the distances. Errors as of coreset.
at::Tensor k_centres(const at::Tensor& rows, std::int64_t count, std::int64_t start, bool keep_start,
                     const CoresetProgress& progress = {});

/// `count` picks without a projection, farthest-first from the mean distance to the rows `anchors` [A] int64.
at::Tensor k_centres_from_mean(const at::Tensor& rows, std::int64_t count, const at::Tensor& anchors,
                               const CoresetProgress& progress = {});

/// Dimensions to which n rows are projected: floor(4 ln n / (eps^2 / 2 - eps^3 / 3)), at least 1.
std::int64_t coreset_dims(std::int64_t n, double eps);

/// A very sparse random projection (P. Li, T. Hastie and K. Church, 2006) as a matrix [dims, D] float32: an
/// element is not zero with probability 1 / sqrt(D), and then +-sqrt(sqrt(D) / dims), either with
/// probability 1/2.
at::Tensor sparse_projection(std::int64_t input_dims, std::int64_t dims, std::uint64_t seed);

}  // namespace imatch
