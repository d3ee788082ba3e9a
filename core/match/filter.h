// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "base/options.h"
#include "match/matches.h"

namespace imatch {

/// Narrows matches that exist already.
struct FilterOptions {
  double match_th = -1;                 ///< Smallest cosine similarity kept; in [-1, 1].
  double line_th = 0;                   ///< Smallest similarity kept, as a share of the best one; in [0, 1].
  std::optional<int> max_matches = {};  ///< The best ones; >= 0.
  static constexpr auto fields = std::tuple{
      field("match_th", &FilterOptions::match_th, in_range(-1, 1), "Smallest cosine similarity kept."),
      field(
          "line_th", &FilterOptions::line_th, in_range(0, 1),
          "Smallest similarity kept, as a share of the best one; the best match always passes this filter."),
      field("max_matches", &FilterOptions::max_matches, at_least(0), "Keep the best so many; unset: all.")};
};

/// The matches that pass, in their order; everything about the images stays. match_th is asked before
/// line_th.
Matches filter(const Matches& matches, const FilterOptions& options);

/// The matches whose flag is not 0, in their order. Throws Error unless there is one flag for each match.
Matches subset(const Matches& matches, std::span<const std::uint8_t> keep);

/// Counts and sizes: num_matches, n_a, n_b, n_selected_a, n_selected_b, grid_a {rows, cols}, grid_b,
/// cell_a_px, cell_b_px. With `arrays` also idx_a, idx_b, similarities, points_a [[x, y], ...] and points_b.
Json to_json(const Matches& matches, bool arrays);

}  // namespace imatch
