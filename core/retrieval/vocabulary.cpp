// SPDX-License-Identifier: Apache-2.0
#include "retrieval/vocabulary.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cdist.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <fmt/format.h>

#include "base/error.h"
#include "index/k_means.h"

namespace imatch {
namespace {

/// A number in [0, 1) that every standard library makes alike, as its distributions do not.
double uniform(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) * 0x1.0p-53;
}

}  // namespace

VocabularyLearner::VocabularyLearner(std::uint64_t seed, std::int64_t sample)
    : random_(seed), capacity_(sample) {}

void VocabularyLearner::add(const at::Tensor& tokens, const std::string& key) {
  const at::NoGradGuard no_gradients;
  keys_.add(key);
  if (!sample_.defined()) sample_ = at::empty({capacity_, tokens.size(1)}, at::kFloat);
  const at::Tensor is_token = at::linalg_vector_norm(tokens, 2, at::IntArrayRef{1}).gt(0).contiguous();
  const bool* flags = is_token.const_data_ptr<bool>();
  for (std::int64_t i = 0; i < tokens.size(0); ++i) {
    if (!flags[i]) continue;
    const std::int64_t place =
        seen_ < capacity_ ? seen_
                          : static_cast<std::int64_t>(uniform(random_) * static_cast<double>(seen_ + 1));
    if (place < capacity_) sample_[place].copy_(tokens[i]);
    ++seen_;
  }
}

Vocabulary VocabularyLearner::learn(int num_words, int iterations) {
  const at::NoGradGuard no_gradients;
  const std::int64_t count = std::min(seen_, capacity_);
  if (count < num_words)
    throw Error(
        fmt::format("vocabulary: {} tokens for {} words; expected at least as many", count, num_words));
  const auto seed = static_cast<int>(random_() >> 33);
  return {.centres = k_means(sample_.slice(0, 0, count), num_words, iterations, seed), .digest = keys_.hex()};
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
