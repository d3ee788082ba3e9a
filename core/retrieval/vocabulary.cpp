// SPDX-License-Identifier: Apache-2.0
#include "retrieval/vocabulary.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cdist.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/stop.h"

namespace imatch {
namespace {

/// A number in [0, 1) that every standard library makes alike, as its distributions do not.
double uniform(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) * 0x1.0p-53;
}

/// k-means++: each next centre is a token, drawn with a probability that grows with its squared distance from
/// those there.
at::Tensor seeded_centres(const at::Tensor& tokens, int num_words, std::mt19937_64& random) {
  at::Tensor centres = at::empty({num_words, tokens.size(1)}, at::kFloat);
  at::Tensor nearest2;  // [N] double
  for (int k = 0; k < num_words; ++k) {
    std::int64_t pick = static_cast<std::int64_t>(uniform(random) * static_cast<double>(tokens.size(0)));
    if (k > 0) {
      const at::Tensor sums = nearest2.cumsum(0);
      const double total = sums[-1].item<double>();
      if (total > 0) {
        const double draw = uniform(random) * total;
        pick = std::min(sums.le(draw).sum().item<std::int64_t>(), tokens.size(0) - 1);
      }
    }
    centres[k].copy_(tokens[pick]);
    const at::Tensor distance2 = (tokens - tokens[pick]).to(at::kDouble).pow(2).sum(1);
    nearest2 = k == 0 ? distance2 : at::minimum(nearest2, distance2);
  }
  return centres;
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
  const at::Tensor tokens = sample_.slice(0, 0, count);
  Vocabulary vocabulary{.centres = seeded_centres(tokens, num_words, random_), .digest = keys_.hex()};
  at::Tensor words;
  for (int round = 0; round < iterations; ++round) {
    check_stop();
    const at::Tensor next = nearest_words(tokens, vocabulary);
    if (words.defined() && next.equal(words)) break;
    words = next;
    at::Tensor sums = at::zeros({num_words, tokens.size(1)}, at::kDouble);
    sums.index_add_(0, words, tokens.to(at::kDouble));
    const at::Tensor members = words.bincount({}, num_words).unsqueeze(1);
    // A word that no token is nearest to stays where it was.
    vocabulary.centres =
        (sums / members.clamp_min(1)).to(at::kFloat).where(members.gt(0), vocabulary.centres);
  }
  return vocabulary;
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
