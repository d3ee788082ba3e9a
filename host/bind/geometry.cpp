// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "bind/homography.h"
#include "bind/match_types.h"
#include "bind/types.h"
#include "match/geometry.h"

namespace imatch::host {
namespace geometry_bindings {

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

constexpr Binding kMethods[] = {
    bind<homography>("homography", "Geometry:homography() -> list of 9 numbers or nil",
                     "b_from_a, row by row, in original pixels, last element 1; an affine or similarity "
                     "transform has 0, 0, 1 as its last row. "
                     "nil when no model was found.",
                     IMATCH_EXAMPLE_FEATURES
                     "print(im.match.geometry(im.match.mutual_nearest(f, f)):homography()[1]) --> 1"),
    bind<num_inliers>("num_inliers", "Geometry:num_inliers() -> integer",
                      "Matches whose reprojection error in b is at most reproj_px.",
                      IMATCH_EXAMPLE_FEATURES
                      "print(im.match.geometry(im.match.mutual_nearest(f, f)):num_inliers()) --> 15"),
    bind<inliers>("inliers", "Geometry:inliers() -> list of booleans",
                  "One flag for each match, in their order.",
                  IMATCH_EXAMPLE_FEATURES
                  "print(im.match.geometry(im.match.mutual_nearest(f, f)):inliers()[1]) --> true"),
    bind<mean_reprojection_px>(
        "mean_reprojection_px", "Geometry:mean_reprojection_px() -> number or nil",
        "Mean reprojection error of the inliers in pixels of b; nil without a model.",
        IMATCH_EXAMPLE_FEATURES
        "print(im.match.geometry(im.match.mutual_nearest(f, f)):mean_reprojection_px()) --> 0"),
    bind<method>("method", "Geometry:method() -> string", "The estimator that was used.",
                 IMATCH_EXAMPLE_FEATURES
                 "print(im.match.geometry(im.match.mutual_nearest(f, f)):method()) --> usac_magsac"),
};

}  // namespace geometry_bindings

constinit const Type geometry_type = describe_type<Geometry, geometry_bindings::geometry_to_string>(
    "Transform between two images, with its inliers; immutable.", geometry_bindings::kMethods);

}  // namespace imatch::host
