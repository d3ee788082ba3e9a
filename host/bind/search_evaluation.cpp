// SPDX-License-Identifier: Apache-2.0
#include "evaluation/search_evaluation.h"

#include <fmt/format.h>

#include <cmath>

#include "bind/lists.h"
#include "bind/search_results.h"
#include "bind/skipped_files.h"
#include "binding.h"
#include "evaluation/ground_truth.h"
#include "evaluation/localization_metrics.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<Evaluation> = "Evaluation";
template <>
inline std::size_t native_bytes(const Evaluation& evaluation) {
  return evaluation.rows.size() * sizeof(EvaluationRow);
}
template <>
inline constexpr const char* type_name<PositionTable> = "PositionTable";

namespace search_evaluation_bindings {

int positions(lua_State* L) {
  return push(L, read_positions(check_string(L, 1)));
}

int image_positions(lua_State* L) {
  ImagePositions found = positions_of_images(check_strings(L, 1));
  push(L, std::move(found.table));
  return 1 + push(L, skipped_json(found.skipped)) + push(L, skipped_json(found.doubtful));
}

int positions_find(lua_State* L) {
  const auto position = arg<PositionTable>(L, 1).find(check_string(L, 2));
  if (!position) return lua_pushnil(L), 1;
  return push(L, Json{{"latitude_deg", position->latitude_deg}, {"longitude_deg", position->longitude_deg}});
}

int positions_length(lua_State* L) {
  return push(L, arg<PositionTable>(L, 1).size());
}

int positions_to_string(lua_State* L) {
  return push(L, fmt::format("PositionTable({})", arg<PositionTable>(L, 1).size()));
}

int evaluate(lua_State* L) {
  const auto o = options<LocalizationMetricsOptions>(L, 4, "retrieval.evaluate");
  return push(
      L, evaluate_results(arg<SearchResults>(L, 1), arg<PositionTable>(L, 2), arg<PositionTable>(L, 3), o));
}

int evaluation_summary(lua_State* L) {
  return push(L, summary_json(arg<Evaluation>(L, 1)));
}

int save_evaluations(lua_State* L) {
  std::vector<const Evaluation*> list;
  for_each_item<Evaluation>(L, 2, [&](auto evaluation) { list.push_back(evaluation.get()); });
  if (list.empty()) wrong_argument(L, 2, "a list of Evaluation");
  write_evaluations(check_string(L, 1), list);
  return push(L, true);
}

int evaluation_row(lua_State* L) {
  const auto& rows = arg<Evaluation>(L, 1).rows;
  const EvaluationRow& row =
      rows[static_cast<std::size_t>(check_integer(L, 2, 1, static_cast<std::int64_t>(rows.size())) - 1)];
  const auto position = [](const std::optional<LatLon>& p) {
    return p ? Json{{"latitude_deg", p->latitude_deg}, {"longitude_deg", p->longitude_deg}} : Json(nullptr);
  };
  return push(L,
              Json{{"query", row.query},
                   {"truth", position(row.truth)},
                   {"predicted", position(row.predicted)},
                   {"predicted_name", row.predicted_name},
                   {"error_m", std::isnan(row.outcome.top1_m) ? Json(nullptr) : Json(row.outcome.top1_m)}});
}

int evaluation_length(lua_State* L) {
  return push(L, arg<Evaluation>(L, 1).rows.size());
}

int evaluation_to_string(lua_State* L) {
  const auto& e = arg<Evaluation>(L, 1);
  return push(L, fmt::format("Evaluation({} {}, {} queries, {} references)", e.weight, e.direction,
                             e.rows.size(), e.num_references));
}

constexpr Binding kFunctions[] = {
    bind<positions>(
        "positions", "retrieval.positions(path) -> PositionTable",
        "Positions by image: an annotation JSON (images[]{imageref, position}), a label index ({imageref: "
        "{lat, lon, x, y}}) or a CSV table with columns such as name, latitude, longitude; x and y, metres "
        "in "
        "a plane, may be missing. Fails with bad_format, naming the file and the key.",
        "print(im.retrieval.positions 'no_such.csv') --> nil no_such.csv: no such file not_found"),
    bind<image_positions>(
        "image_positions", "retrieval.image_positions(paths) -> PositionTable, skipped, doubtful",
        "What pictures say themselves: UTM in their name (@east@north@zone@band@), EXIF and XMP, or the "
        "centre of a GeoTIFF. Lists of {path, reason}: what says no position, and whose position lacks the "
        "letters of its hemisphere or has a sign beside them.",
        "print(#im.retrieval.image_positions {}) --> 0"),
    bind<evaluate>(
        "evaluate",
        "retrieval.evaluate(results, query_positions, reference_positions [, options]) -> Evaluation",
        "Compares the references found for queries with the truth. The true reference is the nearest of all "
        "reference positions.",
        "print(pcall(im.retrieval.evaluate, 1, 2, 3)) --> false ...argument 3 must be PositionTable, got 3",
        describe_options<LocalizationMetricsOptions>),
    bind<save_evaluations>(
        "save_evaluations", "retrieval.save_evaluations(folder, evaluations) -> true",
        "Writes summary.json (by group, the folder of the results: the label metrics by name, and all that "
        "summary() says), summary.csv with a row a group, metrics.csv with the definition of each, "
        "details.json and details.csv with a row a query, and queries.geojson and queries.kml, of several "
        "groups each in a folder of its name.",
        "local none = im.retrieval.image_positions {}\n"
        "local evaluation = im.retrieval.evaluate(im.retrieval.results {}, none, none)\n"
        "assert(im.retrieval.save_evaluations('/tmp/imatch_doc_evaluation', { evaluation }))"),
};

constexpr Binding kPositionMethods[] = {
    bind<positions_find>(
        "find", "PositionTable:find(path) -> {latitude_deg, longitude_deg} or nil",
        "By the path, else the file name, else that without its ending, else the frame that it "
        "tells of: a_0001, a_00001, and a_0001_rot045_crop50 are one, and a vector's name tells "
        "of an image.",
        "print(im.retrieval.image_positions({}):find 'a.jpg') --> nil"),
};

constexpr Binding kEvaluationMethods[] = {
    bind<evaluation_summary>(
        "summary", "Evaluation:summary() -> table",
        "group, weight, mode, direction, num_references, metrics (a list of {name, value, unit, "
        "definition}), label_metrics (likewise, by the names that scripts of old know: "
        "haversine_recall_at_k, "
        "xy_top1_mean_m, ...), warnings, curves (hit, top_k, latency_ms).",
        "local none = im.retrieval.image_positions {}\n"
        "print(#im.retrieval.evaluate(im.retrieval.results {}, none, none):summary().metrics) --> 50"),
    bind<evaluation_row>("row", "Evaluation:row(i) -> table",
                         "query, truth, predicted, predicted_name and error_m of query i, from 1.",
                         "local none = im.retrieval.image_positions {}\n"
                         "print(pcall(function() return im.retrieval.evaluate(im.retrieval.results {}, none, "
                         "none):row(1) end)) --> false ...argument 1 must be an integer in [1, 0], got 1"),
};

constexpr Type kTypes[] = {
    describe_type<PositionTable, positions_to_string, positions_length>("Positions by image.",
                                                                        kPositionMethods),
    describe_type<Evaluation, evaluation_to_string, evaluation_length>("Results compared with the truth.",
                                                                       kEvaluationMethods),
};

}  // namespace search_evaluation_bindings

extern const Module search_evaluation_module;
const Module search_evaluation_module{"retrieval", "", search_evaluation_bindings::kFunctions,
                                      search_evaluation_bindings::kTypes};

}  // namespace imatch::host
