// SPDX-License-Identifier: Apache-2.0
#include "bind/types.h"
#include "binding.h"
#include "evaluation/point_cloud_metrics.h"

namespace imatch::host {
namespace point_clouds_bindings {

int point_clouds(lua_State* L) {
  const std::vector<double> shares =
      is_absent(L, 3) ? std::vector<double>{0.01, 0.02} : to_json(L, 3, "shares").get<std::vector<double>>();
  const PointCloudDistance found = point_cloud_distance(arg<at::Tensor>(L, 1), arg<at::Tensor>(L, 2), shares);
  return push(L, Json{{"chamfer_l1", found.chamfer_l1},
                      {"chamfer_l2", found.chamfer_l2},
                      {"diagonal", found.diagonal},
                      {"fscore", found.fscore},
                      {"precision", found.precision},
                      {"recall", found.recall}});
}

int pck(lua_State* L) {
  return push(L, correct_points(arg<at::Tensor>(L, 1), arg<at::Tensor>(L, 2),
                                is_absent(L, 3) ? 0.1 : check_number(L, 3)));
}

constexpr Binding kFunctions[] = {
    bind<point_clouds>("point_clouds", "evaluate.point_clouds(predicted, truth [, shares]) -> table",
                       "How far two sets of points [N, 3] and [M, 3] are apart, by the distances of each to "
                       "the nearest of the others: "
                       "chamfer_l1, half of the sum of the two means; chamfer_l2, the sum of the two means "
                       "of squares; and for each share of "
                       "the diagonal of the truth's box (0.01 and 0.02 unless given) precision (of the "
                       "predicted points within it), recall (of "
                       "the true ones) and fscore, their harmonic mean.",
                       "local a = im.tensor.from_table { { 0, 0, 0 }, { 1, 0, 0 } }\n"
                       "local b = im.tensor.from_table { { 0, 0, 0 }, { 1, 0, 2 } }\n"
                       "print(im.evaluate.point_clouds(a, b).chamfer_l1) --> 0.75"),
    bind<pck>(
        "pck", "evaluate.pck(predicted, truth [, share]) -> number",
        "The share of points, row by row, that lie within `share` (0.1) of the largest side of the truth's "
        "box from where "
        "they should be.",
        "local a = im.tensor.from_table { { 0, 0, 0 }, { 1, 0, 0 } }\nprint(im.evaluate.pck(a, a)) --> 1"),
};

}  // namespace point_clouds_bindings

extern const Module point_clouds_module;
const Module point_clouds_module{"evaluate", "", point_clouds_bindings::kFunctions};

}  // namespace imatch::host
