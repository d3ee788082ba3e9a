// SPDX-License-Identifier: Apache-2.0
#include "anomaly/train.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <random>

#include "anomaly/collected_patches.h"
#include "anomaly/scorer.h"
#include "anomaly/training_stage.h"
#include "backbone/spec.h"
#include "base/device.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "cuda/kernels.h"
#include "image/decode.h"
#include "index/coreset.h"
#include "index/random_index.h"
#include "io/json_file.h"

namespace imatch {
namespace {

/// The backbone's specification with the layers written into it.
std::string backbone_with_layers(const AnomalyTrainOptions& options) {
  BackboneSpec spec = parse_spec(options.backbone);
  const BackboneKind& kind = backbone_kind_of(spec.name);
  for (const char* key : {"layers", "stages"}) {
    const auto takes = std::ranges::find(kind.options, key, &FieldInfo::name);
    if (takes == kind.options.end() || spec.options.contains(key)) continue;
    Json layers = Json::array();
    for (const std::string& layer : options.layers)
      layers.push_back(takes->type == "list of integer" ? Json(std::atoi(layer.c_str())) : Json(layer));
    if (layers.empty() && spec.name.starts_with("efficientnet_lite")) layers = {8, 16};
    if (!layers.empty()) spec.options[key] = layers;
  }
  // What an exported file holds is what is trained with.
  const auto dtype = std::ranges::find(kind.options, "dtype", &FieldInfo::name);
  if (dtype != kind.options.end() && !spec.options.contains("dtype")) spec.options["dtype"] = "fp32_w16";
  return format_spec(spec);
}

/// A file of weights that the user brought goes with the model.
void keep_weights(const std::string& spec, const std::string& model_folder) {
  const std::string kept = model_folder + "/" + kBackboneWeights;
  const std::string path = parse_spec(spec).options.value("weights", "");
  std::error_code absent;
  if (!path.empty() && std::filesystem::equivalent(path, kept, absent)) return;
  std::filesystem::remove(kept, absent);
  if (!path.empty() && std::filesystem::is_regular_file(path)) write_file_atomically(kept, read_file(path));
}

/// What of the data is trained with, held out and tested on.
struct TrainingSplit {
  std::vector<std::string> train, held_out;
  std::vector<AnomalySample> test;
};

TrainingSplit split_data(AnomalyData data, double share, std::uint64_t seed) {
  std::vector<std::string> paths;
  for (AnomalySample& sample : data.train) paths.push_back(std::move(sample.path));
  TrainingSplit split{.train = {}, .held_out = {}, .test = std::move(data.test)};
  const auto count = static_cast<std::size_t>(static_cast<double>(paths.size()) * share);
  std::mt19937_64 random(seed);
  std::vector<bool> out(paths.size());
  for (std::size_t chosen = 0; chosen < count;) {
    const auto i = static_cast<std::size_t>(random_below(random, static_cast<std::int64_t>(paths.size())));
    if (out[i]) continue;
    out[i] = true;
    ++chosen;
  }
  for (std::size_t i = 0; i < paths.size(); ++i) (out[i] ? split.held_out : split.train).push_back(paths[i]);
  return split;
}

/// Of everything that a stage depends on.
std::string training_key(const AnomalyTrainOptions& options, const AnomalyModelConfig& config,
                         const TrainingSplit& split) {
  Json shaping = options_to_json(options);
  for (const char* key : {"device", "batch_size", "use_faiss"}) shaping.erase(key);
  Sha256 hash;
  hash.add(shaping.dump()).add(config.backbone).add(config.weights_sha256);
  const auto add_file = [&](const std::string& path) {
    hash.add(path);
    try {
      hash.add(sha256_file(path));
    } catch (const Failure&) {
      hash.add("unreadable");
    }
  };
  for (const std::string& path : split.train) add_file(path);
  for (const std::string& path : split.held_out) add_file(path);
  for (const AnomalySample& sample : split.test) add_file(sample.path);
  return hash.hex();
}

Json skipped_to_json(const std::vector<SkippedFile>& skipped) {
  Json list = Json::array();
  for (const SkippedFile& file : skipped) list.push_back({{"path", file.path}, {"reason", file.reason}});
  return list;
}

std::vector<SkippedFile> skipped_from_json(const Json& list) {
  std::vector<SkippedFile> skipped;
  for (const Json& item : list) skipped.push_back({item.at("path"), item.at("reason")});
  return skipped;
}

void add_scored(ScoredImages& to, const Json& list, const std::vector<AnomalySample>& samples) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i].is_null()) continue;
    to.scores.push_back(list[i][0].get<float>());
    to.map_maxima.push_back(list[i][1].get<float>());
    to.anomalous.push_back(samples.empty() ? 0 : samples[i].anomalous());
  }
}

NormStats stats_of(const Json& scored) {
  NormStatsSum sum;
  for (const Json& one : scored)
    if (!one.is_null()) sum.add(one[0].get<double>(), one[1].get<double>(), one[2].get<double>());
  return sum.stats();
}

CoresetOptions coreset_options(const AnomalyModelConfig& config) {
  return {.ratio = config.coreset_ratio,
          .method = config.method.coreset,
          .start = config.method.start,
          .seed = config.seed};
}

CoresetProgress coreset_progress(const AnomalyProgress& progress) {
  if (!progress) return {};
  return [&progress](std::int64_t done, std::int64_t total) { progress("coreset", done, total); };
}

AnomalyModelConfig new_config(const AnomalyTrainOptions& options, const std::string& model_folder,
                              const Backbone& backbone, const std::string& spec) {
  AnomalyModelConfig config;
  config.pattern_name = options.pattern_name;
  config.backbone = spec;
  if (config.pattern_name.empty())
    config.pattern_name = std::filesystem::path(model_folder).lexically_normal().filename().string();
  if (config.pattern_name.empty() || config.pattern_name.find('/') != std::string::npos)
    throw Error(fmt::format("pattern_name '{}' is not allowed; expected the name of a file without a folder",
                            config.pattern_name));
  config.weights_sha256 = backbone.weights_sha256();
  config.weights_family = resnet_weights_family(config.weights_sha256);
  config.image_height = options.image_size[0];
  config.image_width = options.image_size[1];
  config.tile_px = options.tile_px;
  config.overlap = options.overlap;
  config.region_threshold = options.roi_threshold;
  config.method = options.method;
  config.coreset_ratio = options.coreset_ratio;
  config.seed = options.seed;
  return config;
}

}  // namespace

AnomalyTrainOptions parse_anomaly_train_options(const Json& table, std::string_view what) {
  AnomalyTrainOptions options;
  Json rest = table;
  if (table.is_object() && table.contains("method")) {
    options.method = parse_patchcore_method(table["method"], std::string(what) + ": method");
    rest.erase("method");
  }
  options = parse_options<AnomalyTrainOptions>(rest, what, options);
  if (options.image_size.size() == 1) options.image_size.push_back(options.image_size[0]);
  if (options.image_size.size() != 2)
    throw Error(fmt::format("{}: image_size: {} numbers; expected height and width", what,
                            options.image_size.size()));
  if (!options.roi_rect.empty() && options.roi_rect.size() != 4)
    throw Error(fmt::format("{}: roi_rect: {} numbers; expected x, y, width and height", what,
                            options.roi_rect.size()));
  return options;
}

AnomalyTraining train_anomaly_model(const std::string& data_folder, const std::string& model_folder,
                                    const AnomalyTrainOptions& options, const AnomalyProgress& progress) {
  const at::NoGradGuard no_gradients;
  const std::string spec = backbone_with_layers(options);
  const std::shared_ptr<const Backbone> backbone = open_anomaly_backbone(spec, options.device);
  AnomalyTraining training;
  AnomalyModel& model = training.model;
  model.config = new_config(options, model_folder, *backbone, spec);
  const TrainingSplit split = split_data(list_anomaly_data(data_folder, options.data), options.held_out,
                                         static_cast<std::uint64_t>(options.seed));
  if (split.train.size() < 2)
    throw Failure(code::kNoResult, fmt::format("{}: {} normal pictures to train with; expected 2 or more",
                                               data_folder, split.train.size()));
  if (!options.roi_rect.empty()) {
    const std::vector<int>& r = options.roi_rect;
    model.region =
        region_of(open_image(split.train.front()), {r[0], r[1], r[2], r[3]}, options.roi_threshold);
  }
  const TrainingStages stages(model_folder + "/training", training_key(options, model.config, split));

  std::optional<TrainingStages::Stage> bank = stages.read("bank");
  if (bank) {
    training.resumed.emplace_back("coreset");
  } else {
    std::optional<TrainingStages::Stage> features = stages.read("features");
    if (features) {
      training.resumed.emplace_back("features");
    } else {
      CollectedPatches patches = collect_patches(split.train, *backbone, model, options.batch_size,
                                                 {options.memory_mb, options.seed}, 2, progress);
      features = TrainingStages::Stage{patches.rows,
                                       {{"seen", patches.seen},
                                        {"num_images", patches.num_images},
                                        {"skipped", skipped_to_json(patches.skipped)}}};
      stages.write("features", *features);
    }
    const at::Tensor& rows = features->rows;
    // Each pick goes through all rows: where the network runs on a GPU, they do as well.
    const at::Tensor ids = coreset(cuda::moved_if_it_fits(rows, resolve_device(options.device)),
                                   coreset_options(model.config), coreset_progress(progress));
    bank = TrainingStages::Stage{as_exported(rows.index_select(0, ids)), features->notes};
    bank->notes["kept"] = rows.size(0);
    stages.write("bank", *bank);
  }
  model.bank = bank->rows.clone();
  model.config.rows_seen = bank->notes["seen"];
  model.config.rows_kept = bank->notes["kept"];
  model.config.num_images = bank->notes["num_images"];
  training.skipped = skipped_from_json(bank->notes["skipped"]);

  std::optional<TrainingStages::Stage> scores = stages.read("scores");
  if (scores) {
    training.resumed.emplace_back("scores");
  } else {
    const AnomalyScorer scorer(model, backbone, options.use_faiss ? "faiss" : "exact");
    std::vector<std::string> test;
    for (const AnomalySample& sample : split.test) test.push_back(sample.path);
    const std::size_t total = split.train.size() + split.held_out.size() + test.size();
    std::size_t before = 0;
    std::vector<SkippedFile> skipped, again;
    const auto score = [&](const std::vector<std::string>& paths, std::vector<SkippedFile>& left_out) {
      Json list = score_pictures(paths, scorer, model, anomaly_normalization(*backbone), options.batch_size,
                                 left_out, [&](std::size_t done) {
                                   if (progress)
                                     progress("scores", static_cast<std::int64_t>(before + done),
                                              static_cast<std::int64_t>(total));
                                 });
      before += paths.size();
      return list;
    };
    Json notes;
    notes["train"] = score(split.train, again);  // those left out are known already
    notes["held_out"] = score(split.held_out, skipped);
    notes["test"] = score(test, skipped);
    notes["skipped"] = skipped_to_json(skipped);
    scores = TrainingStages::Stage{{}, std::move(notes)};
    stages.write("scores", *scores);
  }
  for (SkippedFile& file : skipped_from_json(scores->notes["skipped"]))
    training.skipped.push_back(std::move(file));

  model.norm_stats = stats_of(scores->notes["train"]);
  ScoredImages scored;
  add_scored(scored, scores->notes["held_out"], {});
  model.config.num_held_out = static_cast<std::int64_t>(scored.scores.size());
  scored.taken_from = "held-out normal images";
  if (scored.scores.empty()) {
    add_scored(scored, scores->notes["train"], {});
    scored.taken_from = "training images";
  }
  if (!split.test.empty()) {
    add_scored(scored, scores->notes["test"], split.test);
    scored.taken_from += " and test images";
  }
  model.thresholds = choose_thresholds(scored, options.thresholds);
  keep_weights(spec, model_folder);
  save_anomaly_model(model_folder, model);
  stages.clear();
  return training;
}

}  // namespace imatch
