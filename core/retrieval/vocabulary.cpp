// SPDX-License-Identifier: Apache-2.0
#include "retrieval/vocabulary.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cdist.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <fmt/format.h>

#include "base/error.h"
#include "index/k_means.h"

namespace imatch {

VocabularyLearner::VocabularyLearner(std::uint64_t seed, std::int64_t sample)
    : seed_(seed), capacity_(sample) {}

void VocabularyLearner::add(const at::Tensor& tokens, const std::string& key) {
  const at::NoGradGuard no_gradients;
  keys_.add(key);
  if (!sample_) sample_.emplace(capacity_, tokens.size(1), seed_);
  sample_->add(tokens.index({at::linalg_vector_norm(tokens, 2, at::IntArrayRef{1}).gt(0)}));
}

Vocabulary VocabularyLearner::learn(int num_words, int iterations) {
  const std::int64_t count = sample_ ? sample_->rows().size(0) : 0;
  if (count < num_words)
    throw Error(
        fmt::format("vocabulary: {} tokens for {} words; expected at least as many", count, num_words));
  return {.centres = k_means(sample_->rows(), num_words, iterations, seed_), .digest = keys_.hex()};
}

at::Tensor nearest_words(const at::Tensor& tokens, const Vocabulary& vocabulary) {
  return at::cdist(tokens, vocabulary.centres).argmin(1);
}

at::Tensor intra_normalized(const at::Tensor& residuals) {
  const auto unit = [](const at::Tensor& x) {
    return x / at::linalg_vector_norm(x, 2, at::IntArrayRef{-1}, /*keepdim=*/true).clamp_min(1e-12);
  };
  return unit(unit(residuals).flatten(-2));
}

}  // namespace imatch
