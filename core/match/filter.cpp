// SPDX-License-Identifier: Apache-2.0
#include "match/filter.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace imatch {
namespace {

Json pairs_of(const std::vector<Point2>& points) {
  Json list = Json::array();
  for (const Point2& p : points) list.push_back({p.x, p.y});
  return list;
}

}  // namespace

Matches subset(const Matches& matches, std::span<const std::uint8_t> keep) {
  if (keep.size() != matches.size())
    throw Error(
        fmt::format("mask: {} flags for {} matches; expected one for each", keep.size(), matches.size()));
  Matches kept = matches;
  const auto narrow = [&](auto& list) {
    std::size_t next = 0;
    for (std::size_t k = 0; k < keep.size(); ++k)
      if (keep[k]) list[next++] = list[k];
    list.resize(next);
  };
  narrow(kept.idx_a);
  narrow(kept.idx_b);
  narrow(kept.similarity);
  narrow(kept.points_a);
  narrow(kept.points_b);
  return kept;
}

Matches filter(const Matches& matches, const FilterOptions& options) {
  if (matches.size() == 0) return matches;
  const double best = *std::max_element(matches.similarity.begin(), matches.similarity.end());
  const double least = std::max(options.match_th, std::min(best, best * options.line_th));
  int left = options.max_matches.value_or(std::numeric_limits<int>::max());
  std::vector<std::uint8_t> keep;
  // Matches stand in falling similarity, so the first ones are the best.
  for (const float similarity : matches.similarity) keep.push_back(similarity >= least && left-- > 0);
  return subset(matches, keep);
}

Json to_json(const Matches& matches, bool arrays) {
  Json table{{"num_matches", matches.size()},
             {"n_a", matches.n_a},
             {"n_b", matches.n_b},
             {"n_selected_a", matches.n_selected_a},
             {"n_selected_b", matches.n_selected_b},
             {"grid_a", {{"rows", matches.rows_a}, {"cols", matches.cols_a}}},
             {"grid_b", {{"rows", matches.rows_b}, {"cols", matches.cols_b}}},
             {"cell_a_px", matches.cell_a_px},
             {"cell_b_px", matches.cell_b_px}};
  if (!arrays) return table;
  table["idx_a"] = matches.idx_a;
  table["idx_b"] = matches.idx_b;
  table["similarities"] = matches.similarity;
  table["points_a"] = pairs_of(matches.points_a);
  table["points_b"] = pairs_of(matches.points_b);
  return table;
}

}  // namespace imatch
