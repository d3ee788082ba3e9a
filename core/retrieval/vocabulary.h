// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/sha256.h"
#include "index/row_reservoir.h"

namespace imatch {

/// Visual words for VLAD.
struct Vocabulary {
  at::Tensor centres;  ///< [K, D] float32.
  std::string digest;  ///< SHA-256 over the keys of the pictures it was learned from, in their order.
};

/// Learns a vocabulary from tokens that come a picture at a time and need not fit into memory: a uniform
/// sample of all (RowReservoir), clustered by k_means. The same pictures in the same order and the same seed
/// give the same words.
class VocabularyLearner {
 public:
  explicit VocabularyLearner(std::uint64_t seed = 0, std::int64_t sample = 65536);

  /// Tokens of one picture, [N, D] float32 on the CPU, zero tokens left out; `key` says which picture.
  void add(const at::Tensor& tokens, const std::string& key);
  /// Throws Error for fewer tokens than words.
  Vocabulary learn(int num_words, int iterations = 25);

 private:
  const std::uint64_t seed_;
  const std::int64_t capacity_;
  std::optional<RowReservoir> sample_;  ///< From the first picture on, which tells how long a token is.
  Sha256 keys_;
};

/// The word nearest to each token, [N] int64.
at::Tensor nearest_words(const at::Tensor& tokens, const Vocabulary& vocabulary);

/// Scales sums of residuals [..., K, D] to what VLAD compares: each word's to length one, then all together
/// (Arandjelovic and Zisserman, "All about VLAD", 2013), [..., K * D].
at::Tensor intra_normalized(const at::Tensor& residuals);

}  // namespace imatch
