// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/field.h"
#include "feature/features.h"
#include "match/matches.h"
#include "match/token_selection.h"

namespace imatch {

/// Filters for mutual-nearest-neighbour matching of two token sets.
struct MutualNearestOptions {
  int max_features = 1000;     ///< Tokens kept per image, spread evenly; >= 1.
  double keypoint_th = 0.015;  ///< Smallest min-max normalised token norm kept; in [0, 1].
  double match_th = 0.1;       ///< Smallest cosine similarity kept; in [-1, 1].
  double line_th = 0.2;        ///< Smallest similarity kept, as a share of the best one; in [0, 1].
  bool unique = true;          ///< Each token in at most one match.
  static constexpr auto fields = std::tuple{
      field("max_features", &MutualNearestOptions::max_features, at_least(1),
            "Tokens kept per image, spread evenly by index."),
      field("keypoint_th", &MutualNearestOptions::keypoint_th, in_range(0, 1),
            "Smallest L2 norm of a token kept, min-max normalised over its image; the strongest token always "
            "stays."),
      field("match_th", &MutualNearestOptions::match_th, in_range(-1, 1), "Smallest cosine similarity kept."),
      field("line_th", &MutualNearestOptions::line_th, in_range(0, 1),
            "Smallest similarity kept, as a share of the pair's best one; the best match always passes this "
            "filter."),
      field("unique", &MutualNearestOptions::unique, anything(),
            "Each token in at most one match. false: tokens of a that are equally near to one of b, and "
            "nearer than "
            "all others, are all kept.")};
};

/// Mutual nearest neighbours before any threshold on similarity, in falling similarity (ties by idx_a).
struct MutualPairs {
  std::vector<std::int32_t> idx_a;  ///< Into the full token grid of a.
  std::vector<std::int32_t> idx_b;
  std::vector<float> similarity;  ///< Cosine, clamped to [-1, 1].
  std::vector<bool>
      first;  ///< The pair is one-to-one; false for the further ones of exactly equal similarity.
  std::int64_t n_selected_a = 0;
  std::int64_t n_selected_b = 0;
};

/// The costly part of mutual_nearest, which no similarity threshold changes: selects tokens, multiplies, and
/// keeps the pairs (i, j) where j is the nearest of b to i and i the nearest of a to j, by cosine; of equally
/// near ones the smaller index counts as nearest. Computed in float32 on the tokens' device. When both
/// features have a key, results are remembered (the latest 64 MiB in this process), so that a sweep over
/// thresholds multiplies once. May be called from several threads.
/// Throws Error when backbones, dimensions or devices differ, and as select_tokens does.
std::shared_ptr<const MutualPairs> mutual_pairs(const Features& a, const Features& b,
                                                const TokenSelection& selection);

/// Mutual nearest neighbours of the tokens of a and b that pass the filters. similarity >= match_th is asked
/// first; line_th then refers to the best of the pair. None may be left. Costs O(n m D) for n and m selected
/// tokens; see mutual_pairs for errors and reuse.
Matches mutual_nearest(const Features& a, const Features& b, const MutualNearestOptions& options = {});

}  // namespace imatch
