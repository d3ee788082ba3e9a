// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "base/file.h"
#include "base/resources.h"
#include "bind/types.h"
#include "bind/vector_set.h"
#include "binding.h"
#include "evaluation/ground_truth.h"
#include "evaluation/localization_metrics.h"
#include "evaluation/search_evaluation.h"
#include "image/image_stream.h"
#include "io/json_file.h"
#include "retrieval/manifest.h"
#include "retrieval/reference_view.h"
#include "retrieval/search_result.h"
#include "retrieval/vector_files.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<SearchResults> = "SearchResults";
template <>
inline constexpr const char* type_name<Evaluation> = "Evaluation";
template <>
inline std::size_t native_bytes(const Evaluation& evaluation) {
  return evaluation.rows.size() * sizeof(EvaluationRow);
}
template <>
inline constexpr const char* type_name<PositionTable> = "PositionTable";
template <>
inline constexpr const char* type_name<ImageStream> = "ImageStream";
template <>
inline std::size_t native_bytes(const SearchResults& results) {
  return results.queries.size() * 600;
}

namespace retrieval_bindings {

std::vector<std::string> check_strings(lua_State* L, int index) {
  const Json list = to_json(L, index, "paths");
  if (!list.is_array() && !list.empty()) wrong_argument(L, index, "a list of strings");
  std::vector<std::string> texts;
  for (const Json& text : list) {
    if (!text.is_string()) wrong_argument(L, index, "a list of strings");
    texts.push_back(text);
  }
  return texts;
}

template <class T>
Json optional_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json skipped_json(const std::vector<SkippedFile>& skipped) {
  Json list = Json::array();
  for (const SkippedFile& file : skipped) list.push_back({{"path", file.path}, {"reason", file.reason}});
  return list;
}

// ---- Manifests
// -------------------------------------------------------------------------------------------------------

Json model_json(const ManifestModel& model) {
  Json weights = Json::array(), images = Json::array();
  for (const WeightEntry& w : model.weights)
    weights.push_back({{"alias", w.alias},
                       {"folder", w.folder},
                       {"hub", w.hub},
                       {"file", w.file},
                       {"normalization", w.normalization}});
  for (const ManifestImage& image : model.images)
    images.push_back({{"path", image.path},
                      {"capture_id", image.capture->id},
                      {"label", image.capture->label},
                      {"frame", image.frame_text},
                      {"index", image.frame},
                      {"altitude_m", optional_json(image.capture->altitude_m)},
                      {"heading_deg", optional_json(image.capture->heading_deg)}});
  return {{"weights", weights},
          {"target_res", model.target_res},
          {"embedding_cfg", model.embedding_cfg},
          {"outputs",
           {{"global", options_to_json(model.global)},
            {"patch", options_to_json(model.patch)},
            {"grid", options_to_json(model.grid)}}},
          {"test_embedding", model.test_embedding},
          {"generate_denseft", model.generate_denseft},
          {"images", images},
          {"missing", model.missing}};
}

int manifest(lua_State* L) {
  const DataKey key = read_data_key(check_string(L, 2));
  const Manifest m = read_manifest(check_string(L, 1), key, is_absent(L, 3) ? "" : check_string(L, 3));
  Json models = Json::array();
  for (const ManifestModel& model : m.models) models.push_back(model_json(model));
  return push(L, Json{{"dataset_key", m.dataset_key},
                      {"dataset_type", m.dataset_type},
                      {"embed_root", m.embed_root},
                      {"variants", m.variants},
                      {"models", models}});
}

int dataset(lua_State* L) {
  const DataKey key = read_data_key(check_string(L, 1));
  const Dataset& d = key.dataset(check_string(L, 2));
  Json captures = Json::array();
  for (const Capture& c : d.captures)
    captures.push_back({{"id", c.id},
                        {"label", c.label},
                        {"folder", d.folder.fill(c, 0)},
                        {"altitude_m", optional_json(c.altitude_m)},
                        {"heading_deg", optional_json(c.heading_deg)}});
  return push(L, Json{{"key", d.key},
                      {"root", d.root},
                      {"captures", captures},
                      {"gt_sigma_m", optional_json(d.gt_sigma_m)},
                      {"alt_ref", optional_json(d.alt_ref)},
                      {"yaw_source", optional_json(d.yaw_source)}});
}

// ---- Images and vectors
// ----------------------------------------------------------------------------------------------

int stream(lua_State* L) {
  return push(L, std::make_shared<ImageStream>(check_strings(L, 1),
                                               options<ImageStreamOptions>(L, 2, "retrieval.images")));
}
int stream_next(lua_State* L) {
  auto item = mutable_arg<ImageStream>(L, 1).next();
  if (!item) return lua_pushnil(L), 1;
  push(L, item->index + 1);
  if (item->image)
    push(L, std::const_pointer_cast<Image>(item->image));
  else
    lua_pushboolean(L, 0);
  if (item->image)
    push(L, item->decode_ms);
  else
    push(L, item->problem);
  return 3;
}
int stream_to_string(lua_State* L) {
  return push(L, "ImageStream");
}

int view_of_photo(lua_State* L) {
  return push(L, imatch::reference_view(arg<Image>(L, 1),
                                        options<ReferenceViewOptions>(L, 2, "retrieval.reference_view")));
}

int name_of_vector(lua_State* L) {
  return push(L, vector_stem(options<VectorName>(L, 1, "retrieval.vector_name")));
}
int variant_in_name(lua_State* L) {
  const auto variant = global_variant(check_string(L, 1));
  return push(L, variant ? Json(*variant) : Json(nullptr));
}
int vectors(lua_State* L) {
  return push(L, read_vectors(check_strings(L, 1), is_absent(L, 2) ? 0 : check_number(L, 2)));
}
int write_vector(lua_State* L) {
  const Json outputs = to_json(L, 5, "outputs");
  write_vector_files(check_string(L, 1), arg<Features>(L, 2), check_string(L, 3), to_json(L, 4, "meta"),
                     outputs.value("npy", false), outputs.value("json", false));
  return push(L, true);
}
int vectors_source(lua_State* L) {
  return push(L, options_to_json(arg<VectorSet>(L, 1).source));
}
int vectors_tensor(lua_State* L) {
  return push(L, arg<VectorSet>(L, 1).vectors);
}
int vectors_paths(lua_State* L) {
  return push(L, Json(arg<VectorSet>(L, 1).paths));
}
int vectors_skipped(lua_State* L) {
  return push(L, skipped_json(arg<VectorSet>(L, 1).skipped));
}
int vectors_length(lua_State* L) {
  return push(L, arg<VectorSet>(L, 1).paths.size());
}
int vectors_to_string(lua_State* L) {
  const auto& set = arg<VectorSet>(L, 1);
  return push(L, fmt::format("VectorSet({} x {}, {} skipped)", set.paths.size(), set.vectors.size(1),
                             set.skipped.size()));
}

// ---- Results
// ---------------------------------------------------------------------------------------------------------

struct ResultArguments {
  const VectorSet& queries;
  const VectorSet& base;
  Neighbours found;
  SearchSettings search;
};

/// (queries, base, scores, ids, search) at stack index `at` and behind.
ResultArguments check_result(lua_State* L, int at) {
  return {arg<VectorSet>(L, at),
          arg<VectorSet>(L, at + 1),
          {arg<at::Tensor>(L, at + 2), arg<at::Tensor>(L, at + 3)},
          options<SearchSettings>(L, at + 4, "search")};
}
int write_result_files(lua_State* L) {
  const auto r = check_result(L, 2);
  imatch::write_results(check_string(L, 1), r.search, r.queries, r.base, r.found,
                        !is_absent(L, 7) && check_bool(L, 7));
  return push(L, true);
}
int write_aggregate_file(lua_State* L) {
  const auto r = check_result(L, 2);
  return push(L, imatch::write_aggregate(check_string(L, 1), r.search, r.queries, r.base, r.found));
}
int row(lua_State* L) {
  const auto r = check_result(L, 2);
  const auto q = check_integer(L, 1, 1, static_cast<std::int64_t>(r.queries.paths.size()));
  return push(L, redis_row(r.search, r.queries, r.base, r.found, q - 1));
}
int results(lua_State* L) {
  return push(L, read_results(check_strings(L, 1)));
}
int results_length(lua_State* L) {
  return push(L, arg<SearchResults>(L, 1).queries.size());
}
int results_to_string(lua_State* L) {
  const auto& r = arg<SearchResults>(L, 1);
  return push(L, fmt::format("SearchResults({} {} {}, {} queries, {} references)", r.weight, r.mode,
                             r.direction, r.queries.size(), r.references.size()));
}
int results_description(lua_State* L) {
  const auto& r = arg<SearchResults>(L, 1);
  return push(L, Json{{"weight", r.weight},
                      {"mode", r.mode},
                      {"direction", r.direction},
                      {"num_queries", r.queries.size()},
                      {"num_references", r.references.size()},
                      {"skipped", skipped_json(r.skipped)}});
}

int results_names(lua_State* L) {
  const auto& r = arg<SearchResults>(L, 1);
  const std::string which = check_string(L, 2);
  if (which == "references") return push(L, Json(r.references));
  if (which != "queries") wrong_argument(L, 2, "'queries' or 'references'");
  Json list = Json::array();
  for (const RetrievedQuery& query : r.queries) list.push_back(query.name);
  return push(L, list);
}
int resource(lua_State* L) {
  return push(L, read_file(resource_folder(check_string(L, 1)) + "/" + check_string(L, 2)));
}
int json(lua_State* L) {
  return push(L, json_text(to_json(L, 1), -1));
}

// ---- Positions and evaluation
// ----------------------------------------------------------------------------------------

int positions(lua_State* L) {
  return push(L, read_positions(check_string(L, 1)));
}
int image_positions(lua_State* L) {
  std::vector<SkippedFile> skipped;
  push(L, positions_of_images(check_strings(L, 1), skipped));
  return 1 + push(L, skipped_json(skipped));
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
int evaluation_save(lua_State* L) {
  write_evaluation(check_string(L, 2), arg<Evaluation>(L, 1));
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

// ---- Documentation
// ---------------------------------------------------------------------------------------------------

constexpr Binding kFunctions[] = {
    bind<manifest>(
        "manifest", "retrieval.manifest(path, data_key_path [, dataset_root]) -> table",
        "A manifest of embeddings resolved against a data key: dataset_key, dataset_type, embed_root, "
        "variants, and models, each with weights, target_res, embedding_cfg, outputs, images (path, "
        "capture_id, label, frame, altitude_m, heading_deg) and missing (paths that are not there). Fails "
        "with "
        "bad_format, naming the file and the key.",
        "print(im.retrieval.manifest('no_such.json', 'data_key.json'))"),
    bind<dataset>(
        "dataset", "retrieval.dataset(data_key_path, dataset_key) -> table",
        "A data set of a data key: root, captures (id, label, folder, altitude_m, heading_deg), gt_sigma_m, "
        "alt_ref, yaw_source.",
        "print(im.retrieval.dataset('no_such.json', 'flight'))"),
    bind<stream>("images", "retrieval.images(paths [, options]) -> ImageStream",
                 "Decodes pictures in the background, in order.",
                 "print(im.retrieval.images { 'no_such.jpg' }:next())", describe_options<ImageStreamOptions>),
    bind<name_of_vector>(
        "vector_name", "retrieval.vector_name(fields) -> string",
        "Where a vector file lies below <root>/<dataset_key>/<alias>/, without its ending.",
        "print(im.retrieval.vector_name { embedding_cfg = 'res224', variant = 'raw', hub = 'dinov3_vits16',\n"
        "  normalization = 'LVD', label = 'a', frame = '0001' })",
        describe_options<VectorName>),
    bind<variant_in_name>(
        "global_variant", "retrieval.global_variant(file_name) -> string or nil",
        "The variant ('raw', 'sub2') in the name of a file of global vectors; nil for another file.",
        "print(im.retrieval.global_variant 'GlobalToken_res224_sub2_dinov3_vits16_LVD_a_1.npy')"),
    bind<vectors>(
        "vectors", "retrieval.vectors(paths [, find_ms]) -> VectorSet",
        "Global vectors of many .npy files, each scaled to length one, with what their _meta.json say of the "
        "image. Truncated files, NaN, zeros and other sizes are skipped by name. `find_ms`: how long it took "
        "to "
        "list the files, which goes into the times of search results.",
        "print(#im.retrieval.vectors { 'no_such.npy' }:skipped())"),
    bind<view_of_photo>(
        "reference_view", "retrieval.reference_view(photo [, options]) -> Image",
        "A reference made of a photo: rotated counter-clockwise on a larger canvas, the largest part of the "
        "photo's shape scaled to its size, its centre cropped; as Pillow's rotate (bicubic, expand), "
        "ImageOps.fit and crop do it.",
        "local view = im.retrieval.reference_view(im.image.new(80, 60), { angle_deg = 45 })\n"
        "assert(view:width() == 40 and view:height() == 30)",
        describe_options<ReferenceViewOptions>),
    bind<write_vector>(
        "write_vector", "retrieval.write_vector(stem, features, kind, meta, outputs) -> true",
        "Writes <stem>.npy (outputs.npy) and <stem>_meta.json (outputs.json): of kind 'GlobalToken' [D], "
        "'PatchToken' [tokens, D] or 'PatchGrid' [rows, cols, D].",
        "local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table { { 1 } }, { "
        "rows = 1, cols = 1 })\n"
        "im.retrieval.write_vector('/tmp/imatch_doc_vector', f, 'GlobalToken', { config = {} }, { npy = true "
        "})"),
    bind<write_result_files>(
        "write_results",
        "retrieval.write_results(out, queries, base, scores, ids, search [, with_redis]) -> true",
        "One JSON file a query, <out>/<weight>_<mode>/<vector file>_top<k>.json: {weight, mode, direction, "
        "k, "
        "index_count, search_count, search{vector, meta, image}, hits[]{rank, score, vector, meta, image}, "
        "timing_ms}. With `with_redis` also its row for Redis, "
        "<out>/<weight>_<mode>_<direction>/<vector file>_<direction>_top<k>_redis.json. k is at most the "
        "number of vectors searched among.",
        "local none = im.retrieval.vectors {}\nlocal empty = im.tensor.from_table { { 0 } }\n"
        "im.retrieval.write_results('/tmp/imatch_doc_results', none, none, empty, empty, { direction = "
        "'db2db' })",
        describe_options<SearchSettings>),
    bind<write_aggregate_file>(
        "write_aggregate", "retrieval.write_aggregate(out, queries, base, scores, ids, search) -> path",
        "All queries in one JSON file, <out>/<weight>_<mode>_<direction option>_top<k>.json, under "
        "`results`.",
        "local none = im.retrieval.vectors {}\nlocal empty = im.tensor.from_table { { 0 } }\n"
        "print(im.retrieval.write_aggregate('/tmp/imatch_doc', none, none, empty, empty, { direction = "
        "'db2db' }))",
        describe_options<SearchSettings>),
    bind<row>("redis_row", "retrieval.redis_row(i, queries, base, scores, ids, search) -> table",
              "The row of query i (from 1) as it is pushed to Redis.",
              "print(pcall(im.retrieval.redis_row, 1, im.retrieval.vectors {}))",
              describe_options<SearchSettings>),
    bind<results>(
        "results", "retrieval.results(paths) -> SearchResults",
        "Reads result files: queries with their hits, aggregates and rows for Redis; damaged ones are "
        "skipped by name.",
        "print(im.retrieval.results { 'no_such.json' })"),
    bind<positions>(
        "positions", "retrieval.positions(path) -> PositionTable",
        "Positions by image: an annotation JSON (images[]{imageref, position}), a label index ({imageref: "
        "{lat, lon}}) or a CSV table with columns such as name, latitude, longitude. Fails with bad_format, "
        "naming the file and the key.",
        "print(im.retrieval.positions 'no_such.csv')"),
    bind<image_positions>(
        "image_positions", "retrieval.image_positions(paths) -> PositionTable, skipped",
        "What pictures say themselves: UTM in their name (@east@north@zone@band@), EXIF, or the centre "
        "of a GeoTIFF.",
        "print(#im.retrieval.image_positions {})"),
    bind<resource>("resource", "retrieval.resource(kind, name) -> string",
                   "A file that came with the program, for its reports: kind 'lua' or 'js'.",
                   "print(#im.retrieval.resource('lua', 'imatch/report/report.css'))"),
    bind<json>("json", "retrieval.json(value) -> string", "JSON in one line.",
               "print(im.retrieval.json { a = { 1, 2 } })"),
    bind<evaluate>(
        "evaluate",
        "retrieval.evaluate(results, query_positions, reference_positions [, options]) -> Evaluation",
        "Compares the references found for queries with the truth. The true reference is the nearest of all "
        "reference positions.",
        "print(pcall(im.retrieval.evaluate, 1, 2, 3))", describe_options<LocalizationMetricsOptions>),
};

constexpr Binding kStreamMethods[] = {
    bind<stream_next>(
        "next", "ImageStream:next() -> i, Image, ms | i, false, message | nil",
        "The next picture and the time it took; false and why when it cannot be decoded; nil at the end.",
        "print(im.retrieval.images({}):next())"),
};
constexpr Binding kVectorSetMethods[] = {
    bind<vectors_tensor>("tensor", "VectorSet:tensor() -> Tensor", "[n, D] float32, rows of length one.",
                         "print(im.retrieval.vectors({}):tensor())"),
    bind<vectors_source>("source", "VectorSet:source() -> {backbone, weights_sha256}",
                         "What the meta files say of the backbone; empty texts when they say nothing.",
                         "print(im.retrieval.vectors({}):source().backbone)"),
    bind<vectors_paths>("paths", "VectorSet:paths() -> list", "The file of each row.",
                        "print(#im.retrieval.vectors({}):paths())"),
    bind<vectors_skipped>("skipped", "VectorSet:skipped() -> list of {path, reason}", "What was left out.",
                          "print(#im.retrieval.vectors({}):skipped())"),
};
constexpr Binding kResultsMethods[] = {
    bind<results_names>("names", "SearchResults:names(which) -> list",
                        "Of the 'queries', or of the 'references' that were found.",
                        "print(#im.retrieval.results({}):names 'queries')"),
    bind<results_description>("description", "SearchResults:description() -> table",
                              "weight, mode, direction, num_queries, num_references, skipped.",
                              "print(im.retrieval.results({}):description().num_queries)"),
};
constexpr Binding kPositionMethods[] = {
    bind<positions_find>("find", "PositionTable:find(path) -> {latitude_deg, longitude_deg} or nil",
                         "By the path, else the file name, else that without its ending.",
                         "print(im.retrieval.image_positions({}):find 'a.jpg')"),
};
constexpr Binding kEvaluationMethods[] = {
    bind<evaluation_summary>(
        "summary", "Evaluation:summary() -> table",
        "weight, mode, direction, num_references, metrics (a list of {name, value, unit, "
        "definition}), warnings, curves (hit, top_k, latency_ms).",
        "local none = im.retrieval.image_positions {}\n"
        "print(#im.retrieval.evaluate(im.retrieval.results {}, none, none):summary().metrics)"),
    bind<evaluation_save>(
        "save", "Evaluation:save(folder) -> true",
        "summary.json, summary.csv, details.json, details.csv, queries.geojson, queries.kml.",
        "local none = im.retrieval.image_positions {}\n"
        "im.retrieval.evaluate(im.retrieval.results {}, none, none):save '/tmp/imatch_doc_evaluation'"),
    bind<evaluation_row>("row", "Evaluation:row(i) -> table",
                         "query, truth, predicted, predicted_name and error_m of query i, from 1.",
                         "local none = im.retrieval.image_positions {}\n"
                         "print(pcall(function() return im.retrieval.evaluate(im.retrieval.results {}, none, "
                         "none):row(1) end))"),
};

constexpr Type kTypes[] = {
    describe_type<ImageStream, stream_to_string>("Pictures decoded in the background.", kStreamMethods),
    describe_type<VectorSet, vectors_to_string, vectors_length>("Global vectors of files.",
                                                                kVectorSetMethods),
    describe_type<SearchResults, results_to_string, results_length>("Search results read back.",
                                                                    kResultsMethods),
    describe_type<PositionTable, positions_to_string, positions_length>("Positions by image.",
                                                                        kPositionMethods),
    describe_type<Evaluation, evaluation_to_string, evaluation_length>("Results compared with the truth.",
                                                                       kEvaluationMethods),
};

}  // namespace retrieval_bindings

extern const Module retrieval_module;
const Module retrieval_module{"retrieval", "Embedding archives, searching them, and scores in metres.",
                              retrieval_bindings::kFunctions, retrieval_bindings::kTypes};

}  // namespace imatch::host
