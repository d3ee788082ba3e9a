// SPDX-License-Identifier: Apache-2.0
#include "bind/feature_list.h"
#include "bind/match_types.h"
#include "bind/types.h"
#include "match/nearest.h"
#include "match/rotation_search.h"
#include "match/subpixel_refinement.h"
#include "match/verdict.h"

namespace imatch::host {
namespace match_bindings {

int mutual_nearest(lua_State* L) {
  const auto &a = arg<Features>(L, 1), &b = arg<Features>(L, 2);
  return push(L, imatch::mutual_nearest(a, b, options<MutualNearestOptions>(L, 3, "match.mutual_nearest")));
}

int geometry(lua_State* L) {
  return push(L, estimate(arg<Matches>(L, 1), options<GeometryOptions>(L, 2, "match.geometry")));
}

int verdict(lua_State* L) {
  return push(L, to_json(judge(arg<Matches>(L, 1), arg<Geometry>(L, 2),
                               options<VerdictOptions>(L, 3, "match.verdict"))));
}

int refine(lua_State* L) {
  Matches matches = arg<Matches>(L, 1);
  refine_to_subpixel(matches, arg<Features>(L, 2), arg<Features>(L, 3));
  return push(L, std::move(matches));
}

int rotation_search(lua_State* L) {
  const auto how = options<RotationSearchOptions>(L, 3, "match.rotation_search");
  RotationSearch search = search_rotations(arg<Features>(L, 1), check_features(L, 2), how);
  push(L, std::move(search.matches));
  push(L, options_to_json(search.summary));
  push(L, std::move(search.geometry));
  return 3;
}

constexpr Binding kFunctions[] = {
    bind<mutual_nearest>(
        "mutual_nearest", "match.mutual_nearest(a, b [, options]) -> Matches",
        "Mutual nearest neighbours of the tokens of two Features by cosine similarity, in "
        "falling similarity. Tokens "
        "whose min-max normalised norm is at least keypoint_th take part, of these at most "
        "max_features evenly spaced "
        "by index; then match_th and line_th are asked. No match is a valid result. Both "
        "must come from one backbone "
        "with the same options, else an error says how they differ. Repeated calls on the "
        "same Features with other "
        "thresholds reuse the product.",
        IMATCH_EXAMPLE_FEATURES
        "print(im.match.mutual_nearest(f, f, { match_th = 0.5 }):similarity()[1] > 0.999) --> true",
        describe_options<MutualNearestOptions>),
    bind<rotation_search>(
        "rotation_search", "match.rotation_search(a, rotated_b [, options]) -> Matches, table, Geometry",
        "Matches a with each of a list of Features of b, rotated by different angles (backbone.rotations), "
        "and "
        "keeps the best. points_b lie in b as it is; idx_b counts in the grid of the rotated b. The table "
        "has "
        "rotation_deg of the best, `score` that was asked for, and `scores`, one {rotation_deg, num_matches, "
        "num_inliers, mean_similarity} for each of the list.",
        IMATCH_EXAMPLE_FEATURES "local matches, found = im.match.rotation_search(f, { f })\n"
                                "assert(#matches > 0 and found.rotation_deg == 0)",
        describe_options<RotationSearchOptions>),
    bind<geometry>("geometry", "match.geometry(matches [, options]) -> Geometry",
                   "Robust homography, affine or similarity transform (rotation, one scale, shift) b_from_a "
                   "between the matched points, by OpenCV's RANSAC and USAC methods. The same matches give "
                   "the same result. With too few or "
                   "degenerate matches "
                   "the result has no model and no inliers.",
                   IMATCH_EXAMPLE_FEATURES
                   "local found = im.match.geometry(im.match.mutual_nearest(f, f), { reproj_px = 4 })\n"
                   "print(found:num_inliers() > 8) --> true",
                   describe_options<GeometryOptions>),
    bind<refine>(
        "refine", "match.refine(matches, a, b) -> Matches",
        "The matches with their points in b where the similarity peaks between tokens: at most half a cell "
        "away, by the parabola through the neighbours' similarities. a and b are the Features matched.",
        IMATCH_EXAMPLE_FEATURES "print(#im.match.refine(im.match.mutual_nearest(f, f), f, f)) --> 15"),
    bind<verdict>(
        "verdict", "match.verdict(matches, geometry [, options]) -> table",
        "Whether the two pictures show the same place: matched, reason (one line), num_inliers, num_matches, "
        "num_squares and log10_false_alarms. Not matched is a pair without a model, with inliers on a line, "
        "with a model "
        "that no two photographs of one ground have between them (mirrored, lengths changed more than "
        "eightfold, one direction stretched more than four times as much as the other), and one with as many "
        "inliers as chance gives: the expected number of such geometries among matches that fall anywhere (a "
        "contrario, Moisan, Moulon and Monasse, IPOL 2012) is to be at most 10 to max_log10_false_alarms; a "
        "model of more freedom than a similarity counts a million times, unless a similarity comes near it. "
        "Inliers in one "
        "square of two by two cells count once (num_squares), since they see the same things. With "
        "min_inliers, that many inliers decide in place of chance.",
        IMATCH_EXAMPLE_FEATURES
        "local m = im.match.mutual_nearest(f, f)\n"
        "print(im.match.verdict(m, im.match.geometry(m), { min_inliers = 20 }).reason) --> 15 inliers, fewer "
        "than 20",
        describe_options<VerdictOptions>),
};

// Constants of other files, which stand before anything is copied.
const Type kTypes[] = {matches_type, geometry_type};

}  // namespace match_bindings

extern const Module match_module;
const Module match_module{"match", "Matching: mutual nearest neighbours and robust geometry.",
                          match_bindings::kFunctions, match_bindings::kTypes};

}  // namespace imatch::host
