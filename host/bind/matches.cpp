// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "bind/match_types.h"
#include "bind/types.h"
#include "match/filter.h"

namespace imatch::host {
namespace matches_bindings {

int len(lua_State* L) {
  return push(L, arg<Matches>(L, 1).size());
}
int idx_a(lua_State* L) {
  return push(L, Json(arg<Matches>(L, 1).idx_a));
}
int idx_b(lua_State* L) {
  return push(L, Json(arg<Matches>(L, 1).idx_b));
}
int similarity(lua_State* L) {
  return push(L, Json(arg<Matches>(L, 1).similarity));
}

int points(lua_State* L) {
  const auto& matches = arg<Matches>(L, 1);
  Json list = Json::array();
  for (std::size_t k = 0; k < matches.size(); ++k)
    list.push_back(
        {matches.points_a[k].x, matches.points_a[k].y, matches.points_b[k].x, matches.points_b[k].y});
  return push(L, list);
}

int counts(lua_State* L) {
  return push(L, to_json(arg<Matches>(L, 1), false));
}
int to_table(lua_State* L) {
  return push(L, to_json(arg<Matches>(L, 1), true));
}

int filter_matches(lua_State* L) {
  return push(L, filter(arg<Matches>(L, 1), options<FilterOptions>(L, 2, "Matches:filter")));
}

int inliers_of(lua_State* L) {
  return push(L, subset(arg<Matches>(L, 1), arg<Geometry>(L, 2).inliers));
}

int matches_to_string(lua_State* L) {
  const auto& m = arg<Matches>(L, 1);
  return push(L, fmt::format("Matches({} of {} x {} tokens{})", m.size(), m.n_selected_a, m.n_selected_b,
                             m.size() == 0 ? "" : fmt::format(", best {:.3f}", m.similarity.front())));
}

constexpr Binding kMethods[] = {
    bind<len>("len", "Matches:len() -> integer", "Number of matches; #matches is the same.",
              IMATCH_EXAMPLE_FEATURES "print(im.match.mutual_nearest(f, f):len()) --> 15"),
    bind<idx_a>("idx_a", "Matches:idx_a() -> list of integers",
                "Token of a for each match: 0-based index into the full grid, row by row.",
                IMATCH_EXAMPLE_FEATURES "print(im.match.mutual_nearest(f, f):idx_a()[1]) --> 3"),
    bind<idx_b>("idx_b", "Matches:idx_b() -> list of integers",
                "Token of b for each match: 0-based index into the full grid, row by row.",
                IMATCH_EXAMPLE_FEATURES "print(im.match.mutual_nearest(f, f):idx_b()[1]) --> 3"),
    bind<similarity>("similarity", "Matches:similarity() -> list of numbers",
                     "Cosine similarity of each match in [-1, 1], falling.",
                     IMATCH_EXAMPLE_FEATURES "print(im.match.mutual_nearest(f, f):similarity()[1]) --> 1"),
    bind<points>("points", "Matches:points() -> list of {xa, ya, xb, yb}",
                 "Token centres of each match in pixels of the original images.",
                 IMATCH_EXAMPLE_FEATURES "print(im.match.mutual_nearest(f, f):points()[1][3]) --> 3.5"),
    bind<counts>("counts", "Matches:counts() -> table",
                 "num_matches, n_a and n_b (tokens), n_selected_a and n_selected_b (that took part), grid_a "
                 "and grid_b "
                 "{rows, cols}, cell_a_px and cell_b_px (side of a grid cell in original pixels).",
                 IMATCH_EXAMPLE_FEATURES "print(im.match.mutual_nearest(f, f):counts().n_selected_a) --> 15"),
    bind<to_table>("to_table", "Matches:to_table() -> table",
                   "What counts() gives, and the arrays idx_a, idx_b, similarities, points_a and points_b.",
                   IMATCH_EXAMPLE_FEATURES
                   "print(#im.match.mutual_nearest(f, f):to_table().points_a) --> 15"),
    bind<filter_matches>("filter", "Matches:filter(options) -> Matches",
                         "The matches that pass, in their order; match_th is asked before line_th.",
                         IMATCH_EXAMPLE_FEATURES "print(im.match.mutual_nearest(f, f):filter { max_matches = "
                                                 "10 }) --> Matches(10 of 15 x 15 tokens, best 1.000)",
                         describe_options<FilterOptions>),
    bind<inliers_of>(
        "inliers_of", "Matches:inliers_of(geometry) -> Matches",
        "The inliers of a Geometry found from these very matches.",
        IMATCH_EXAMPLE_FEATURES
        "local m = im.match.mutual_nearest(f, f)\n"
        "print(m:inliers_of(im.match.geometry(m))) --> Matches(15 of 15 x 15 tokens, best 1.000)"),
};

}  // namespace matches_bindings

constinit const Type matches_type =
    describe_type<Matches, matches_bindings::matches_to_string, matches_bindings::len>(
        "Correspondences of two images; immutable.", matches_bindings::kMethods);

}  // namespace imatch::host
