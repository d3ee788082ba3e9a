// SPDX-License-Identifier: Apache-2.0
#include "anomaly/memory_bank.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/sqrt.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anomaly/patch_features.h"
#include "base/error.h"
#include "index/exact_index.h"
#include "index/index.h"

namespace imatch {

at::Tensor as_exported(const at::Tensor& rows) {
  at::Tensor rounded = rows.to(at::kHalf).to(at::kFloat);
  if (rounded.numel() > 0 && !std::isfinite(rounded.abs().max().item<float>()))
    throw Error("memory bank: a patch has values beyond 65504, the range of float16");
  return rounded;
}

MemoryBank::MemoryBank(const at::Tensor& rows, const PatchCoreMethod& method, const std::string& search,
                       const std::string& device)
    : method_(method) {
  if (rows.dim() != 2 || rows.size(0) == 0)
    throw Error("memory bank: no rows; expected [M, D] with M of 1 or more");
  rows_ = rows.to(at::kCPU, at::kFloat).contiguous();
  if (search == "faiss") {
    auto index = std::make_shared<Index>(rows_.size(1), IndexOptions{.factory = "Flat", .metric = "l2"});
    index->add(rows_);
    search_ = [index](const at::Tensor& queries, std::int64_t k) {
      return index->search(queries, IndexSearchOptions{.k = k});
    };
  } else if (search == "exact") {
    auto index = std::make_shared<ExactIndex>(rows_, ExactIndexOptions{.metric = "l2", .device = device});
    search_ = [index](const at::Tensor& queries, std::int64_t k) { return index->search(queries, k); };
  } else {
    throw Error(fmt::format("memory bank: search: '{}' is not allowed; expected 'exact' or 'faiss'", search));
  }
}

double MemoryBank::reweighted(const at::Tensor& patch, std::int64_t nearest, double distance) const {
  if (method_.num_neighbors == 1) return distance;
  const std::int64_t k = std::min<std::int64_t>(method_.num_neighbors, rows_.size(0));
  const at::Tensor around = search_(rows_.narrow(0, nearest, 1), k).ids[0];
  at::Tensor distances =
      at::linalg_vector_norm(rows_.index_select(0, around).sub(patch), 2, at::IntArrayRef{1});
  if (method_.distance == "squared") distances = distances.square();
  const double share = at::softmax(distances.to(at::kDouble), 0)[0].item<double>();
  return (1 - share) * distance;
}

PatchScores MemoryBank::score(const at::Tensor& features) const {
  const at::NoGradGuard no_gradients;
  if (features.dim() != 4 || features.size(1) != rows_.size(1))
    throw Error(fmt::format("memory bank: patches of {} dimensions; expected {}",
                            features.dim() == 4 ? features.size(1) : -1, rows_.size(1)));
  const std::int64_t images = features.size(0), cells = features.size(2) * features.size(3);
  const at::Tensor queries = patch_rows(features).to(at::kFloat);
  const std::int64_t k =
      method_.score == "mean" ? std::min<std::int64_t>(method_.num_neighbors, rows_.size(0)) : 1;
  const Neighbours found = search_(queries, k);
  const at::Tensor distances = method_.distance == "squared" ? found.scores : found.scores.sqrt();
  const at::Tensor patches = distances.mean(1).view({images, cells});
  PatchScores result{patches.view({images, 1, features.size(2), features.size(3)}),
                     at::empty({images}, at::kFloat)};
  float* const of_images = result.images.mutable_data_ptr<float>();
  for (std::int64_t n = 0; n < images; ++n) {
    const std::int64_t worst = patches[n].argmax().item<std::int64_t>();
    double score = patches[n][worst].item<double>();
    if (method_.score == "reweighted")
      score = reweighted(queries[n * cells + worst].to(at::kCPU),
                         found.ids[n * cells + worst][0].item<std::int64_t>(), score);
    of_images[n] = static_cast<float>(score);
  }
  return result;
}

}  // namespace imatch
