// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/error.h"
#include "bind/homography.h"
#include "bind/types.h"
#include "binding.h"
#include "match/filter.h"
#include "match/nearest.h"
#include "match/rotation_search.h"

namespace imatch::host {

namespace match_bindings {

// ---- im.match
// --------------------------------------------------------------------------------------------------------

int mutual_nearest(lua_State* L) {
  const auto &a = arg<Features>(L, 1), &b = arg<Features>(L, 2);
  return push(L, imatch::mutual_nearest(a, b, options<MutualNearestOptions>(L, 3, "match.mutual_nearest")));
}

int geometry(lua_State* L) {
  return push(L, estimate(arg<Matches>(L, 1), options<GeometryOptions>(L, 2, "match.geometry")));
}

int rotation_search(lua_State* L) {
  if (!lua_istable(L, 2)) wrong_argument(L, 2, "a list of Features");
  std::vector<std::shared_ptr<const Features>> rotated;
  for (std::size_t i = 1; i <= lua_objlen(L, 2); ++i) {
    lua_rawgeti(L, 2, static_cast<int>(i));
    rotated.push_back(shared_arg<Features>(L, lua_gettop(L)));
    lua_pop(L, 1);
  }
  const auto how = options<RotationSearchOptions>(L, 3, "match.rotation_search");
  RotationSearch search = search_rotations(arg<Features>(L, 1), rotated, how);
  Json scores = Json::array();
  for (const RotationScore& score : search.scores) scores.push_back(options_to_json(score));
  push(L, std::move(search.matches));
  push(L, Json{{"rotation_deg", search.scores[search.best].rotation_deg},
               {"score", how.score},
               {"scores", scores}});
  push(L, std::move(search.geometry));
  return 3;
}

// ---- Matches
// ---------------------------------------------------------------------------------------------------------

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

// ---- Geometry
// --------------------------------------------------------------------------------------------------------

int homography(lua_State* L) {
  const auto& b_from_a = arg<Geometry>(L, 1).b_from_a;
  if (b_from_a) return push(L, *b_from_a);
  return lua_pushnil(L), 1;
}
int num_inliers(lua_State* L) {
  return push(L, arg<Geometry>(L, 1).num_inliers);
}
int mean_reprojection_px(lua_State* L) {
  const auto& mean = arg<Geometry>(L, 1).mean_reprojection_px;
  return push(L, mean ? Json(*mean) : Json(nullptr));
}
int method(lua_State* L) {
  return push(L, arg<Geometry>(L, 1).method);
}

int inliers(lua_State* L) {
  Json list = Json::array();
  for (const std::uint8_t flag : arg<Geometry>(L, 1).inliers) list.push_back(flag != 0);
  return push(L, list);
}

int geometry_to_string(lua_State* L) {
  const auto& g = arg<Geometry>(L, 1);
  if (!g.b_from_a) return push(L, fmt::format("Geometry(no {} by {})", g.model, g.method));
  return push(L, fmt::format("Geometry({} by {}, {} inliers of {}, {:.2f} px)", g.model, g.method,
                             g.num_inliers, g.inliers.size(), *g.mean_reprojection_px));
}

// ---- Documentation
// ---------------------------------------------------------------------------------------------------

#define SIXTEEN_TOKENS                                                                                   \
  "local rows = {}\n"                                                                                    \
  "for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end\n"      \
  "local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = " \
  "4, cols = 4 })\n"

constexpr Binding kMatchFunctions[] = {
    bind<mutual_nearest>("mutual_nearest", "match.mutual_nearest(a, b [, options]) -> Matches",
                         "Mutual nearest neighbours of the tokens of two Features by cosine similarity, in "
                         "falling similarity. Tokens "
                         "whose min-max normalised norm is at least keypoint_th take part, of these at most "
                         "max_features evenly spaced "
                         "by index; then match_th and line_th are asked. No match is a valid result. Both "
                         "must come from one backbone "
                         "with the same options, else an error says how they differ. Repeated calls on the "
                         "same Features with other "
                         "thresholds reuse the product.",
                         SIXTEEN_TOKENS "print(im.match.mutual_nearest(f, f, { match_th = 0.5 }))",
                         describe_options<MutualNearestOptions>),
    bind<rotation_search>(
        "rotation_search", "match.rotation_search(a, turned_b [, options]) -> Matches, table, Geometry",
        "Matches a with each of a list of Features of b, rotated by different angles (backbone.rotations), "
        "and "
        "keeps the best. points_b lie in b as it is; idx_b counts in the grid of the rotated b. The table "
        "has "
        "rotation_deg of the best, `score` that was asked for, and `scores`, one {rotation_deg, num_matches, "
        "num_inliers, mean_similarity} for each of the list.",
        SIXTEEN_TOKENS "local matches, found = im.match.rotation_search(f, { f })\n"
                       "print(matches, found.rotation_deg)",
        describe_options<RotationSearchOptions>),
    bind<geometry>("geometry", "match.geometry(matches [, options]) -> Geometry",
                   "Robust homography, affine or similarity transform (rotation, one scale, shift) b_from_a "
                   "between the matched points, by OpenCV's RANSAC and USAC methods. The same matches give "
                   "the same result. With too few or "
                   "degenerate matches "
                   "the result has no model and no inliers.",
                   SIXTEEN_TOKENS
                   "print(im.match.geometry(im.match.mutual_nearest(f, f), { reproj_px = 4 }))",
                   describe_options<GeometryOptions>),
};

constexpr Binding kMatchesMethods[] = {
    bind<len>("len", "Matches:len() -> integer", "Number of matches; #matches is the same.",
              SIXTEEN_TOKENS "print(im.match.mutual_nearest(f, f):len())"),
    bind<idx_a>("idx_a", "Matches:idx_a() -> list of integers",
                "Token of a for each match: 0-based index into the full grid, row by row.",
                SIXTEEN_TOKENS "print(im.match.mutual_nearest(f, f):idx_a()[1])"),
    bind<idx_b>("idx_b", "Matches:idx_b() -> list of integers",
                "Token of b for each match: 0-based index into the full grid, row by row.",
                SIXTEEN_TOKENS "print(im.match.mutual_nearest(f, f):idx_b()[1])"),
    bind<similarity>("similarity", "Matches:similarity() -> list of numbers",
                     "Cosine similarity of each match in [-1, 1], falling.",
                     SIXTEEN_TOKENS "print(im.match.mutual_nearest(f, f):similarity()[1])"),
    bind<points>("points", "Matches:points() -> list of {xa, ya, xb, yb}",
                 "Token centres of each match in pixels of the original images.",
                 SIXTEEN_TOKENS "print(im.match.mutual_nearest(f, f):points()[1][3])"),
    bind<counts>("counts", "Matches:counts() -> table",
                 "num_matches, n_a and n_b (tokens), n_selected_a and n_selected_b (that took part), grid_a "
                 "and grid_b "
                 "{rows, cols}, cell_a_px and cell_b_px (side of a grid cell in original pixels).",
                 SIXTEEN_TOKENS "print(im.match.mutual_nearest(f, f):counts().n_selected_a)"),
    bind<to_table>("to_table", "Matches:to_table() -> table",
                   "What counts() gives, and the arrays idx_a, idx_b, similarities, points_a and points_b.",
                   SIXTEEN_TOKENS "print(#im.match.mutual_nearest(f, f):to_table().points_a)"),
    bind<filter_matches>("filter", "Matches:filter(options) -> Matches",
                         "The matches that pass, in their order; match_th is asked before line_th.",
                         SIXTEEN_TOKENS "print(im.match.mutual_nearest(f, f):filter { max_matches = 10 })",
                         describe_options<FilterOptions>),
    bind<inliers_of>("inliers_of", "Matches:inliers_of(geometry) -> Matches",
                     "The inliers of a Geometry found from these very matches.",
                     SIXTEEN_TOKENS
                     "local m = im.match.mutual_nearest(f, f)\nprint(m:inliers_of(im.match.geometry(m)))"),
};

constexpr Binding kGeometryMethods[] = {
    bind<homography>("homography", "Geometry:homography() -> list of 9 numbers or nil",
                     "b_from_a, row by row, in original pixels, last element 1; an affine or similarity "
                     "transform has 0, 0, 1 as its last row. "
                     "nil when no model was found.",
                     SIXTEEN_TOKENS
                     "print(im.match.geometry(im.match.mutual_nearest(f, f)):homography()[1])"),
    bind<num_inliers>("num_inliers", "Geometry:num_inliers() -> integer",
                      "Matches whose reprojection error in b is at most reproj_px.",
                      SIXTEEN_TOKENS "print(im.match.geometry(im.match.mutual_nearest(f, f)):num_inliers())"),
    bind<inliers>("inliers", "Geometry:inliers() -> list of booleans",
                  "One flag for each match, in their order.",
                  SIXTEEN_TOKENS "print(im.match.geometry(im.match.mutual_nearest(f, f)):inliers()[1])"),
    bind<mean_reprojection_px>(
        "mean_reprojection_px", "Geometry:mean_reprojection_px() -> number or nil",
        "Mean reprojection error of the inliers in pixels of b; nil without a model.",
        SIXTEEN_TOKENS "print(im.match.geometry(im.match.mutual_nearest(f, f)):mean_reprojection_px())"),
    bind<method>("method", "Geometry:method() -> string", "The estimator that was used.",
                 SIXTEEN_TOKENS "print(im.match.geometry(im.match.mutual_nearest(f, f)):method())"),
};

constexpr Type kMatchTypes[] = {
    describe_type<Matches, matches_to_string, len>("Correspondences of two images; immutable.",
                                                   kMatchesMethods),
    describe_type<Geometry, geometry_to_string>("Transform between two images, with its inliers; immutable.",
                                                kGeometryMethods),
};

#undef SIXTEEN_TOKENS

}  // namespace match_bindings

extern const Module match_module;
const Module match_module{"match", "Matching: mutual nearest neighbours and robust geometry.",
                          match_bindings::kMatchFunctions, match_bindings::kMatchTypes};

}  // namespace imatch::host
