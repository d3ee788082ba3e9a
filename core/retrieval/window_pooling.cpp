// SPDX-License-Identifier: Apache-2.0
#include "retrieval/window_pooling.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <fmt/format.h>

#include <vector>

#include "base/error.h"

namespace imatch {

WindowPooling pool_windows(const at::Tensor& grid, int rows, int cols, int step, const std::string& pooling,
                           const Vocabulary& vocabulary) {
  const at::NoGradGuard no_gradients;
  // [D, R, C] in double: the deviation is a difference of sums.
  const auto sums = [&](const at::Tensor& values) {
    return at::avg_pool2d(values, {rows, cols}, {step, step}, /*padding=*/0, /*ceil_mode=*/false,
                          /*count_include_pad=*/true, /*divisor_override=*/1)
        .flatten(1)
        .t();  // [windows, D]
  };
  const at::Tensor covered = at::linalg_vector_norm(grid, 2, at::IntArrayRef{-1}).gt(0).to(at::kDouble);
  const at::Tensor count = sums(covered.unsqueeze(0));  // [windows, 1]
  WindowPooling result;
  result.coverage = (count / (1.0 * rows * cols)).to(at::kFloat).flatten().contiguous();
  if (pooling == "backbone") return result;

  const at::Tensor values = grid.permute({2, 0, 1}).to(at::kDouble);
  const at::Tensor number = count.clamp_min(1);
  if (pooling == "gem") {
    const at::Tensor cubes = values.clamp_min(1e-6).pow(3) * covered;
    result.vectors = (sums(cubes) / number).pow(1.0 / 3.0);
  } else if (pooling == "vlad") {
    const std::int64_t num_words = vocabulary.centres.size(0), dim = grid.size(2);
    const at::Tensor words = nearest_words(grid.flatten(0, 1), vocabulary);
    const at::Tensor residuals = (grid.flatten(0, 1) - vocabulary.centres.index_select(0, words)) *
                                 covered.flatten().unsqueeze(1).to(at::kFloat);  // [R C, D]
    std::vector<at::Tensor> by_word;
    for (std::int64_t k = 0; k < num_words; ++k) {
      const at::Tensor of_word = residuals * words.eq(k).unsqueeze(1);
      by_word.push_back(sums(of_word.t().view({dim, grid.size(0), grid.size(1)}).to(at::kDouble)));
    }
    result.vectors = intra_normalized(at::stack(by_word, 1));
  } else if (pooling == "mean" || pooling == "mean_std") {
    result.vectors = sums(values) / number;
    if (pooling == "mean_std") {
      const at::Tensor variance = sums(values * values) / number - result.vectors * result.vectors;
      result.vectors = at::cat({result.vectors, variance.clamp_min(0).sqrt()}, 1);
    }
  } else {
    throw Error(fmt::format(
        "pooling: '{}' is not allowed; expected 'mean', 'mean_std', 'gem', 'vlad' or 'backbone'", pooling));
  }
  result.vectors = result.vectors.to(at::kFloat).contiguous();
  return result;
}

}  // namespace imatch
