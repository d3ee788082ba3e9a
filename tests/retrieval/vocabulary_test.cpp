// SPDX-License-Identifier: Apache-2.0
#include "retrieval/vocabulary.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/eye.h>

#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include "catch.h"

#include "base/error.h"
#include "retrieval/whitening.h"
#include "retrieval/window_pooling.h"

using namespace imatch;

namespace {

/// Three clouds far from each other, 300 tokens each.
at::Tensor clouds() {
  at::manual_seed(3);
  at::Tensor middles = at::zeros({3, 4});
  middles[0][0] = 10, middles[1][1] = 10, middles[2][2] = -10;
  return at::cat(
      {at::randn({300, 4}) + middles[0], at::randn({300, 4}) + middles[1], at::randn({300, 4}) + middles[2]});
}

Vocabulary learned(const at::Tensor& tokens, int words, std::uint64_t seed = 0, std::int64_t sample = 65536) {
  VocabularyLearner learner(seed, sample);
  for (int part = 0; part < 9; ++part)
    learner.add(tokens.slice(0, part * 100, part * 100 + 100), std::to_string(part));
  return learner.learn(words);
}

}  // namespace

TEST_CASE("words are the means of their tokens, and find the clouds") {
  const at::Tensor tokens = clouds();
  const Vocabulary vocabulary = learned(tokens, 3);
  const at::Tensor words = nearest_words(tokens, vocabulary);
  for (int cloud = 0; cloud < 3; ++cloud) {
    const at::Tensor own = tokens.slice(0, cloud * 300, cloud * 300 + 300);
    const at::Tensor word = words.slice(0, cloud * 300, cloud * 300 + 300);
    CHECK(word.eq(word[0]).all().item<bool>());
    CHECK(vocabulary.centres[word[0].item<std::int64_t>()].allclose(own.mean(0), 1e-4, 1e-4));
  }
}

TEST_CASE("the same pictures give the same words; a sample of many tokens does nearly") {
  const at::Tensor tokens = clouds();
  CHECK(learned(tokens, 5).centres.equal(learned(tokens, 5).centres));
  CHECK(learned(tokens, 5).digest == learned(tokens, 5, 9).digest);
  const at::Tensor few = std::get<0>(learned(tokens, 3, 1, 200).centres.sort(0));
  CHECK(few.allclose(std::get<0>(learned(tokens, 3).centres.sort(0)), 0, 0.5));
}

TEST_CASE("zero tokens are not learned; too few tokens are an error") {
  VocabularyLearner learner;
  learner.add(at::zeros({50, 4}), "empty");
  CHECK_THROWS_AS(learner.learn(1), Error);
}

TEST_CASE("VLAD of a window is the normalised residuals of its tokens") {
  at::manual_seed(5);
  at::Tensor grid = at::randn({6, 7, 4});
  grid[2][3].zero_();
  const Vocabulary vocabulary{.centres = at::randn({3, 4}), .digest = "test"};
  const WindowPooling pooled = pool_windows(grid, 4, 5, 2, "vlad", vocabulary);
  REQUIRE(pooled.vectors.sizes() == at::IntArrayRef({4, 12}));
  at::Tensor sums = at::zeros({3, 4});
  for (int r = 2; r < 6; ++r)
    for (int c = 2; c < 7; ++c) {
      if (r == 2 && c == 3) continue;
      int nearest = 0;
      for (int k = 1; k < 3; ++k)
        if ((grid[r][c] - vocabulary.centres[k]).norm().item<float>() <
            (grid[r][c] - vocabulary.centres[nearest]).norm().item<float>())
          nearest = k;
      sums[nearest] += grid[r][c] - vocabulary.centres[nearest];
    }
  for (int k = 0; k < 3; ++k) sums[k] /= sums[k].norm().clamp_min(1e-12);
  CHECK(pooled.vectors[3].allclose(sums.flatten() / sums.norm(), 1e-4, 1e-5));
}

TEST_CASE("whitened vectors spread alike in every direction, whatever they had in common") {
  at::manual_seed(7);
  const at::Tensor vectors = at::randn({4000, 6}).matmul(at::randn({6, 6})) + 20;
  for (const int dims : {6, 4}) {
    const at::Tensor white = Whitening(vectors, dims)(vectors);
    REQUIRE(white.size(1) == dims);
    CHECK(white.mean(0).abs().max().item<float>() < 0.02);
    CHECK((white.t().mm(white) / 4000.0 * dims).allclose(at::eye(dims), 0, 0.1));
  }
  CHECK(Whitening(vectors, 0)(vectors).size(1) == 6);
  CHECK(Whitening(vectors, 100)(vectors).size(1) == 6);
}
