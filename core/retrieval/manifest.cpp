// SPDX-License-Identifier: Apache-2.0
#include "retrieval/manifest.h"

#include <fmt/format.h>

#include <filesystem>
#include <numeric>

#include "base/error.h"
#include "base/spelling.h"
#include "base/stop.h"
#include "io/json_file.h"

namespace imatch {
namespace {

constexpr std::int64_t kMostIndices = 10'000'000;
constexpr std::size_t kMostFrames = 2'000'000;  ///< Of a whole manifest, found or missing: each is a path.

struct SubVariant {
  bool use = false;
  std::vector<int> stride;
  static constexpr auto fields = std::tuple{field("use", &SubVariant::use, anything(), ""),
                                            field("stride", &SubVariant::stride, in_range(1, 4096), "")};
};
struct Variants {
  bool raw = true;
  SubVariant sub;
  static constexpr auto fields =
      std::tuple{field("raw", &Variants::raw, anything(), ""), field("sub", &Variants::sub, anything(), "")};
};
struct Experiment {
  Variants variant;
  static constexpr auto fields = std::tuple{field("variant", &Experiment::variant, anything(), "")};
};
struct Outputs {
  OutputFiles global, patch, grid;
  static constexpr auto fields = std::tuple{field("global", &Outputs::global, anything(), ""),
                                            field("patch", &Outputs::patch, anything(), ""),
                                            field("grid", &Outputs::grid, anything(), "")};
};
struct Run {
  bool test_embedding = true;
  bool generate_denseft = false;
  static constexpr auto fields =
      std::tuple{field("test_embedding", &Run::test_embedding, anything(), ""),
                 field("generate_denseft", &Run::generate_denseft, anything(), "")};
};
struct ImageGroup {
  std::vector<std::string> folder;
  std::vector<std::int64_t> indices;
  static constexpr auto fields = std::tuple{field("folder", &ImageGroup::folder, anything(), ""),
                                            field("indices", &ImageGroup::indices, in_range(0, 1e15), "")};
};
struct Model {
  std::vector<std::string> weights;
  int target_res = 0;
  std::optional<std::string> embedding_cfg;
  std::vector<ImageGroup> image_groups;
  Outputs outputs;
  Run run;
  static constexpr auto fields = std::tuple{field("weights", &Model::weights, anything(), ""),
                                            field("target_res", &Model::target_res, in_range(1, 65536), ""),
                                            field("embedding_cfg", &Model::embedding_cfg, anything(), ""),
                                            field("image_groups", &Model::image_groups, anything(), ""),
                                            field("outputs", &Model::outputs, anything(), ""),
                                            field("run", &Model::run, anything(), "")};
};
struct Text {
  std::string dataset_key;
  std::string weight_set;
  std::string query_embed_root;
  std::string reference_embed_root;
  Experiment experiment;
  std::vector<Model> models;
  static constexpr auto fields =
      std::tuple{field("dataset_key", &Text::dataset_key, anything(), ""),
                 field("weight_set", &Text::weight_set, anything(), ""),
                 field("query_embed_root", &Text::query_embed_root, anything(), ""),
                 field("reference_embed_root", &Text::reference_embed_root, anything(), ""),
                 field("experiment", &Text::experiment, anything(), ""),
                 field("models", &Text::models, anything(), "")};
};

[[noreturn]] void refuse_manifest(const std::string& where, const std::string& why) {
  throw Failure(code::kBadFormat, fmt::format("{}: {}", where, why));
}

/// `folder` and `weights` may be one name instead of a list.
void make_list(Json& object, const char* key) {
  if (object.is_object() && object.contains(key) && object[key].is_string())
    object[key] = Json::array({object[key]});
}

Text parse(const std::string& path) {
  Json json = read_json(path);
  if (json.is_object()) json.erase("$schema");  // for editors
  if (json.is_object() && json.contains("models") && json["models"].is_array())
    for (Json& model : json["models"]) {
      make_list(model, "weights");
      if (model.is_object() && model.contains("image_groups") && model["image_groups"].is_array())
        for (Json& group : model["image_groups"]) make_list(group, "folder");
    }
  try {
    return parse_options<Text>(json, path);
  } catch (const Failure&) {
    throw;
  } catch (const Error& e) {
    throw Failure(code::kBadFormat, e.what());
  }
}

/// Two indices are the first and the last of a range; any other number of them is a list.
std::vector<std::int64_t> frames_of(const ImageGroup& group, const std::string& where) {
  if (group.indices.empty()) refuse_manifest(where, "indices: expected [first, last] or a list of frames");
  if (group.indices.size() != 2) return group.indices;
  const std::int64_t first = group.indices[0], last = group.indices[1];
  if (last < first || last - first >= kMostIndices)
    refuse_manifest(
        where, fmt::format("indices: [{}, {}] is out of range; expected first <= last, and at most {} frames",
                           first, last, kMostIndices));
  std::vector<std::int64_t> frames(static_cast<std::size_t>(last - first + 1));
  std::iota(frames.begin(), frames.end(), first);
  return frames;
}

void find_images(ManifestModel& model, const ImageGroup& group, const Dataset& dataset,
                 const std::string& key_path, const std::string& root, const std::string& where,
                 std::size_t& num_frames) {
  const std::vector<std::int64_t> frames = frames_of(group, where);
  for (const std::string& folder : group.folder) {
    const Capture* capture = dataset.find(folder);
    if (!capture) {
      std::vector<std::string> names;
      for (const Capture& c : dataset.captures) names.push_back(c.id);
      refuse_manifest(where, fmt::format("folder: '{}' is not in datasets.{}.images of {}{}", folder,
                                         dataset.key, key_path, did_you_mean(folder, names)));
    }
    for (const std::int64_t frame : frames) {
      check_stop();
      if (++num_frames > kMostFrames)
        throw Failure(code::kTooLarge,
                      fmt::format("{}: indices: the manifest has more than {} frames", where, kMostFrames));
      std::string path = fmt::format("{}/{}/{}", root, dataset.folder.fill(*capture, frame),
                                     dataset.file.fill(*capture, frame));
      std::error_code ignored;
      if (std::filesystem::is_regular_file(path, ignored))
        model.images.push_back({std::move(path), capture, frame, dataset.file.frame_text(frame)});
      else
        model.missing.push_back(std::move(path));
    }
  }
}

}  // namespace

Manifest read_manifest(const std::string& path, const DataKey& key, const std::string& dataset_root) {
  const Text text = parse(path);
  if (text.dataset_key.empty()) refuse_manifest(path, "'dataset_key' is missing");
  if (text.models.empty()) refuse_manifest(path, "'models' is missing or empty");
  const Dataset& dataset = key.dataset(text.dataset_key);
  Manifest manifest;
  manifest.path = path;
  manifest.dataset_key = text.dataset_key;
  const bool is_reference = !text.reference_embed_root.empty();
  manifest.embed_root = is_reference ? text.reference_embed_root : text.query_embed_root;
  manifest.dataset_type = is_reference ? "reference" : text.query_embed_root.empty() ? "dataset" : "query";
  const Variants& variant = text.experiment.variant;
  if (variant.raw) manifest.variants.emplace_back("raw");
  if (variant.sub.use)
    for (const int stride : variant.sub.stride) manifest.variants.push_back(fmt::format("sub{}", stride));
  if (manifest.variants.empty()) refuse_manifest(path, "experiment.variant: neither raw nor sub is wanted");
  const std::string root = dataset_root.empty() ? dataset.root : dataset_root + "/" + dataset.root;
  std::size_t num_frames = 0;
  for (std::size_t i = 0; i < text.models.size(); ++i) {
    const Model& from = text.models[i];
    const std::string where = fmt::format("{}: models[{}]", path, i + 1);
    if (from.weights.empty()) refuse_manifest(where, "'weights' is missing or empty");
    if (from.target_res == 0) refuse_manifest(where, "'target_res' is missing");
    ManifestModel model;
    for (const std::string& alias : from.weights) model.weights.push_back(key.weight(text.weight_set, alias));
    model.target_res = from.target_res;
    model.embedding_cfg = from.embedding_cfg.value_or(fmt::format("res{}", from.target_res));
    model.global = from.outputs.global;
    model.patch = from.outputs.patch;
    model.grid = from.outputs.grid;
    model.test_embedding = from.run.test_embedding;
    model.generate_denseft = from.run.generate_denseft;
    for (std::size_t g = 0; g < from.image_groups.size(); ++g)
      find_images(model, from.image_groups[g], dataset, key.path, root,
                  fmt::format("{}.image_groups[{}]", where, g + 1), num_frames);
    manifest.models.push_back(std::move(model));
  }
  return manifest;
}

}  // namespace imatch
