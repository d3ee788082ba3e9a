// SPDX-License-Identifier: Apache-2.0
#include "retrieval/manifest.h"

#include "binding.h"
#include "retrieval/data_key.h"

namespace imatch::host {
namespace manifest_bindings {

template <class T>
Json optional_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

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

constexpr Binding kFunctions[] = {
    bind<manifest>(
        "manifest", "retrieval.manifest(path, data_key_path [, dataset_root]) -> table",
        "A manifest of embeddings resolved against a data key: dataset_key, dataset_type, embed_root, "
        "variants, and models, each with weights, target_res, embedding_cfg, outputs, images (path, "
        "capture_id, label, frame, altitude_m, heading_deg) and missing (paths that are not there). Fails "
        "with "
        "bad_format, naming the file and the key.",
        "print(im.retrieval.manifest('no_such.json', 'data_key.json')) --> nil data_key.json: no such file "
        "not_found"),
    bind<dataset>(
        "dataset", "retrieval.dataset(data_key_path, dataset_key) -> table",
        "A data set of a data key: root, captures (id, label, folder, altitude_m, heading_deg), gt_sigma_m, "
        "alt_ref, yaw_source.",
        "print(im.retrieval.dataset('no_such.json', 'flight')) --> nil no_such.json: no such file not_found"),
};

}  // namespace manifest_bindings

extern const Module manifest_module;
const Module manifest_module{"retrieval", "Archives of embeddings, and searches in them.",
                             manifest_bindings::kFunctions};

}  // namespace imatch::host
