// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <limits>

#include "anomaly/detector.h"
#include "anomaly/export_files.h"
#include "anomaly/train.h"
#include "anomaly/trainer_model.h"
#include "anomaly/watched_folder.h"
#include "base/error.h"
#include "base/progress.h"
#include "bind/types.h"
#include "binding.h"
#include "evaluation/detection_metrics.h"
#include "evaluation/statistics.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<AnomalyDetector> = "AnomalyDetector";
template <>
inline constexpr const char* type_name<Detection> = "Detection";
template <>
inline constexpr const char* type_name<WatchedFolder> = "WatchedFolder";
template <>
inline std::size_t native_bytes(const AnomalyDetector& detector) {
  return detector.model().bank.nbytes();
}
template <>
inline std::size_t native_bytes(const Detection& detection) {
  return detection.scaled.values.size() * sizeof(float) * 2;
}

namespace anomaly_bindings {

/// One progress for each stage.
class StageProgress {
 public:
  AnomalyProgress callback() {
    return [this](std::string_view stage, std::int64_t done, std::int64_t total) {
      if (stage != stage_) begin(stage, total);
      progress_->update(
          {.total = static_cast<std::size_t>(total), .done = static_cast<std::size_t>(done), .numbers = {}});
    };
  }

 private:
  void begin(std::string_view stage, std::int64_t total) {
    progress_.reset();
    stage_ = stage;
    progress_.emplace(stage_, stage == "coreset" ? "picks" : "pictures", static_cast<std::size_t>(total));
  }
  std::string stage_;
  std::optional<Progress> progress_;
};

Json describe(const AnomalyTraining& training) {
  const AnomalyModel& model = training.model;
  Json skipped = Json::array();
  for (const SkippedFile& file : training.skipped)
    skipped.push_back({{"path", file.path}, {"reason", file.reason}});
  return {{"config", options_to_json(model.config)},
          {"bank_rows", model.bank.size(0)},
          {"bank_dims", model.bank.size(1)},
          {"thresholds", model.thresholds.to_json()},
          {"max_score", model.norm_stats.max_score},
          {"mean_score", model.norm_stats.mean_score},
          {"skipped", skipped},
          {"resumed", training.resumed}};
}

int train(lua_State* L) {
  const Json table = is_absent(L, 3) ? Json::object() : to_json(L, 3, "anomaly.train options");
  StageProgress progress;
  return push(L, describe(train_anomaly_model(check_string(L, 1), check_string(L, 2),
                                              parse_anomaly_train_options(table, "anomaly.train options"),
                                              progress.callback())));
}

int extend(lua_State* L) {
  StageProgress progress;
  return push(L, describe(extend_anomaly_model(check_string(L, 1), check_string(L, 2),
                                               options<AnomalyExtendOptions>(L, 3, "anomaly.extend options"),
                                               progress.callback())));
}

int import_model(lua_State* L) {
  return push(L, options_to_json(import_trainer_model(check_string(L, 1), check_string(L, 2)).config));
}

int export_model(lua_State* L) {
  const AnomalyData data =
      list_anomaly_data(check_string(L, 2), options<AnomalyDataOptions>(L, 4, "anomaly.export data"));
  return push(L, export_anomaly_model(check_string(L, 1), data,
                                      options<AnomalyGraphOptions>(L, 3, "anomaly.export options"))
                     .report);
}

int open(lua_State* L) {
  return push(L, std::make_shared<AnomalyDetector>(check_string(L, 1),
                                                   options<DetectorOptions>(L, 2, "anomaly.open options")));
}

int list_data(lua_State* L) {
  const AnomalyData data =
      list_anomaly_data(check_string(L, 1), options<AnomalyDataOptions>(L, 2, "anomaly.data options"));
  const auto listed = [](const std::vector<AnomalySample>& samples) {
    Json list = Json::array();
    for (const AnomalySample& sample : samples) {
      list.push_back({{"path", sample.path}, {"kind", sample.kind}, {"anomalous", sample.anomalous()}});
      if (!sample.mask.empty()) list.back()["mask"] = sample.mask;
    }
    return list;
  };
  return push(L, Json{{"layout", data.layout}, {"train", listed(data.train)}, {"test", listed(data.test)}});
}

int preset(lua_State* L) {
  return push(L, options_to_json(patchcore_method(check_string(L, 1))));
}

/// {value, low, high} of a share of `of` pictures, with its 95 % interval; NaN without any.
Json share_json(std::size_t count, std::size_t of) {
  const double value = of > 0 ? static_cast<double>(count) / static_cast<double>(of)
                              : std::numeric_limits<double>::quiet_NaN();
  const Interval interval = wilson_interval(value, of);
  return {{"value", value}, {"low", interval.low}, {"high", interval.high}};
}

int image_metrics(lua_State* L) {
  const auto scores = to_json(L, 1, "scores").get<std::vector<float>>();
  std::vector<std::uint8_t> anomalous;
  for (const Json& one : to_json(L, 2, "anomalous")) anomalous.push_back(one.get<bool>());
  const double threshold = is_absent(L, 3) ? best_f1(scores, anomalous).threshold : check_number(L, 3);
  const DetectionCounts counts = count_detections(scores, anomalous, threshold);
  return push(
      L, Json{{"auroc", auroc(scores, anomalous)},
              {"average_precision", average_precision(scores, anomalous)},
              {"threshold", threshold},
              {"f1", counts.f1()},
              {"best_f1", best_f1(scores, anomalous).f1},
              {"found", share_json(counts.true_positives, counts.true_positives + counts.false_negatives)},
              {"false_alarms",
               share_json(counts.false_positives, counts.false_positives + counts.true_negatives)},
              {"true_positives", counts.true_positives},
              {"false_positives", counts.false_positives},
              {"true_negatives", counts.true_negatives},
              {"false_negatives", counts.false_negatives}});
}

std::vector<at::Tensor> tensors_at(lua_State* L, int index) {
  std::vector<at::Tensor> list;
  for_each_item<at::Tensor>(L, index, [&](auto tensor) { list.push_back(*tensor); });
  return list;
}

int pixel_metrics(lua_State* L) {
  const std::vector<at::Tensor> maps = tensors_at(L, 1), masks = tensors_at(L, 2);
  const double limit = is_absent(L, 3) ? 0.3 : check_number(L, 3);
  return push(L, Json{{"auroc", pixel_auroc(maps, masks)},
                      {"aupro", aupro(maps, masks, limit)},
                      {"aupro_limit", limit}});
}

// ---- AnomalyDetector

int detect(lua_State* L) {
  return push(L, arg<AnomalyDetector>(L, 1).detect(arg<Image>(L, 2),
                                                   options<BlobOptions>(L, 3, "AnomalyDetector:detect")));
}

int describe_detector(lua_State* L) {
  const AnomalyDetector& detector = arg<AnomalyDetector>(L, 1);
  return push(L, Json{{"config", options_to_json(detector.model().config)},
                      {"thresholds", detector.model().thresholds.to_json()},
                      {"engine", detector.engine()},
                      {"bank_rows", detector.model().bank.size(0)},
                      {"bank_dims", detector.model().bank.size(1)}});
}

int features(lua_State* L) {
  return push(L, arg<AnomalyDetector>(L, 1).features(arg<Image>(L, 2)));
}

int bank(lua_State* L) {
  return push(L, arg<AnomalyDetector>(L, 1).model().bank);
}

int draw(lua_State* L) {
  return push(L, arg<AnomalyDetector>(L, 1).picture(arg<Image>(L, 2), arg<Detection>(L, 3)));
}

int mask(lua_State* L) {
  return push(L, detection_mask(arg<Detection>(L, 2), arg<AnomalyDetector>(L, 1).model().thresholds.pixel));
}

int truth(lua_State* L) {
  return push(L, mask_beside_map(arg<Image>(L, 2), arg<Detection>(L, 3)));
}

int detector_text(lua_State* L) {
  const AnomalyDetector& detector = arg<AnomalyDetector>(L, 1);
  return push(L, fmt::format("AnomalyDetector({}, {} rows, {})", detector.model().config.pattern_name,
                             detector.model().bank.size(0), detector.engine()));
}

// ---- Detection

int to_table(lua_State* L) {
  return push(L, arg<Detection>(L, 1).to_json());
}
int map(lua_State* L) {
  return push(L, arg<Detection>(L, 1).raw.map);
}
int inference_ms(lua_State* L) {
  return push(L, arg<Detection>(L, 1).raw.inference_ms);
}
int detection_text(lua_State* L) {
  const Detection& detection = arg<Detection>(L, 1);
  return push(L, detection.raw.found ? fmt::format("Detection(score {:.4g}, {})", detection.raw.score,
                                                   detection.anomalous ? "anomalous" : "normal")
                                     : std::string("Detection(no region)"));
}

// ---- WatchedFolder

int watch(lua_State* L) {
  return push(L, WatchedFolder(check_string(L, 1)));
}
int look(lua_State* L) {
  return push(L, Json(mutable_arg<WatchedFolder>(L, 1).look()));
}
int folder_text(lua_State* L) {
  return push(L, "WatchedFolder");
}

constexpr Binding kFunctions[] = {
    bind<train>(
        "train", "anomaly.train(data_folder, model_folder [, options]) -> table",
        "Trains PatchCore on the normal pictures of a folder and writes the model into another one: "
        "checkpoint.ckpt, config.yaml, thresholds.json, norm_stats.txt. A training that was killed goes on "
        "behind "
        "its last finished stage. Returns {config, bank_rows, bank_dims, thresholds, max_score, mean_score, "
        "skipped, resumed}. Errors: not_found, no_result (fewer than two usable pictures), no_space.",
        "local told = assert(im.anomaly.train('normal', 'trained', { coreset_ratio = 0.1, held_out = 0 }))\n"
        "print(told.bank_dims) --> 152",
        describe_options<AnomalyTrainOptions>),
    bind<extend>(
        "extend", "anomaly.extend(model_folder, data_folder [, options]) -> table",
        "Adds the normal pictures of a folder to a model without starting over: the coreset goes on over "
        "the new patches. Thresholds stay as they are. Returns as anomaly.train.",
        "print(im.anomaly.extend('model', 'more').bank_rows > 0) --> true",
        describe_options<AnomalyExtendOptions>),
    bind<import_model>(
        "import", "anomaly.import(path, model_folder) -> table",
        "Makes a model of what the trainer in Python left: patchcore_model.pt, with norm_stats.txt beside "
        "it. The "
        "network's weights go into backbone.weights in the model's folder. Thresholds lie just above the "
        "largest "
        "score of the training images. Returns its configuration. Errors: not_found, bad_format.",
        "assert(im.anomaly.import('nowhere.pt', 'model') == nil)"),
    bind<export_model>(
        "export", "anomaly.export(model_folder, data_folder [, options [, data]]) -> table",
        "Writes the model as OpenVINO's files, reads them again and compares both on pictures of the "
        "data folder (`data`: its layout, as for training). Returns what is written to parity.json. "
        "Where the two part: nil, where, 'no_result', and no files.",
        "print(im.anomaly.export('nowhere', 'normal')) --> nil nowhere/checkpoint.ckpt: no such file "
        "not_found",
        describe_options<AnomalyGraphOptions>),
    bind<open>("open", "anomaly.open(model_folder [, options]) -> AnomalyDetector",
               "A trained model, by its exported files or its checkpoint.",
               "local detector = assert(im.anomaly.open 'model')\n"
               "print(detector:describe().engine) --> libtorch",
               describe_options<DetectorOptions>),
    bind<list_data>(
        "data", "anomaly.data(folder [, options]) -> {layout, train, test}",
        "Which pictures of a data folder are trained with and tested on: lists of {path, kind, anomalous, "
        "mask}.",
        "print(#im.anomaly.data('normal').train, #im.anomaly.data('normal').test) --> 4 0",
        describe_options<AnomalyDataOptions>),
    bind<watch>("watch", "anomaly.watch(folder) -> WatchedFolder", "A folder into which others put pictures.",
                "print(im.anomaly.watch '.') --> WatchedFolder"),
    bind<preset>("preset", "anomaly.preset(name) -> table",
                 "The method of 'anomalib', 'anomalib-2.3' or 'patchcore' "
                 "(amazon-science/patchcore-inspection), option by "
                 "option.",
                 "print(im.anomaly.preset('patchcore').distance == 'squared') --> true",
                 describe_options<PatchCoreMethod>),
    bind<image_metrics>(
        "image_metrics", "anomaly.image_metrics(scores, anomalous [, threshold]) -> table",
        "How well scores tell anomalous from normal: {auroc, average_precision, best_f1, threshold, f1, "
        "true_positives, ...}. found and false_alarms are the shares of anomalous and of normal ones at or "
        "above the threshold, {value, low, high} with their 95 % interval (Wilson). score >= threshold is "
        "anomalous; unset: the threshold of the best F1.",
        "print(im.anomaly.image_metrics({ 1, 2, 3 }, { false, false, true }).auroc == 1) --> true"),
    bind<pixel_metrics>(
        "pixel_metrics", "anomaly.pixel_metrics(maps, masks [, limit]) -> {auroc, aupro, aupro_limit}",
        "The same of pixels: lists of [H, W] tensors, masks other than 0 where anomalous. aupro: area under "
        "the per-region overlap up to the false positive rate `limit` (0.3), over the images given.",
        "local map = im.tensor.from_table { { 0, 0, 1 } }\n"
        "print(im.anomaly.pixel_metrics({ map }, { map }).auroc == 1) --> true"),
};

constexpr Binding kDetectorMethods[] = {
    bind<detect>("detect", "AnomalyDetector:detect(image [, options]) -> Detection",
                 "What the model says of a picture of any size, with the blobs of its 0 ... 100 map.",
                 "local detector = assert(im.anomaly.open('model', { engine = 'libtorch' }))\n"
                 "print(detector:detect(im.image.open 'normal/1.png'):to_table().anomalous) --> false",
                 describe_options<BlobOptions>),
    bind<describe_detector>(
        "describe", "AnomalyDetector:describe() -> {config, thresholds, engine, bank_rows, bank_dims}",
        "How it was trained and what runs it.",
        "local detector = assert(im.anomaly.open('model', { engine = 'libtorch' }))\n"
        "print(detector:describe().config.image_width) --> 224"),
    bind<features>("features", "AnomalyDetector:features(image) -> Tensor",
                   "The picture's patches as they are compared with the memory bank, [views, D, h, w]: one "
                   "view, or as many "
                   "as tiles, or none without the region. For models opened with the engine 'libtorch'.",
                   "local detector = assert(im.anomaly.open('model', { engine = 'libtorch' }))\n"
                   "local image = assert(im.image.open 'new.png')\n"
                   "print(table.concat(detector:features(image):shape(), ' ')) --> 1 152 28 28"),
    bind<bank>("bank", "AnomalyDetector:bank() -> Tensor", "The memory bank, [M, D].",
               "local detector = assert(im.anomaly.open('model', { engine = 'libtorch' }))\n"
               "print(detector:bank():shape()[2]) --> 152"),
    bind<draw>("draw", "AnomalyDetector:draw(image, detection) -> Image",
               "The inspected part of the picture under the colours of its map, the same colours for the "
               "same distances in "
               "every picture, with the contour of the pixel threshold.",
               "local detector = assert(im.anomaly.open('model', { engine = 'libtorch' }))\n"
               "local image = assert(im.image.open 'new.png')\n"
               "print(detector:draw(image, detector:detect(image)):width() == image:width()) --> true"),
    bind<mask>("mask", "AnomalyDetector:mask(detection) -> Image",
               "White where the map is at or above the pixel threshold.",
               "local detector = assert(im.anomaly.open('model', { engine = 'libtorch' }))\n"
               "local image = assert(im.image.open 'new.png')\n"
               "print(detector:mask(detector:detect(image)):height() == image:height()) --> true"),
    bind<truth>(
        "truth", "AnomalyDetector:truth(mask, detection) -> Tensor",
        "The mask of a picture (an Image of its size) beside the detection's map: [h, w], 1 where anomalous.",
        "local detector = assert(im.anomaly.open('model', { engine = 'libtorch' }))\n"
        "local image = assert(im.image.open 'new.png')\n"
        "local mask = im.image.new(image:width(), image:height(), { 255, 255, 255 })\n"
        "print(detector:truth(mask, detector:detect(image)):mean()) --> 1"),
};
constexpr Binding kDetectionMethods[] = {
    bind<to_table>(
        "to_table", "Detection:to_table() -> table",
        "{found, score, anomalous, correlation, rect = {x, y, width, height}, mean_scaled, defective, blobs "
        "= "
        "list of {x, y, width, height, area_px, is_defect}}; found is false where the region is not in the "
        "picture.",
        "local detector = assert(im.anomaly.open('model', { engine = 'libtorch' }))\n"
        "print(detector:detect(im.image.open 'new.png'):to_table().found) --> true"),
    bind<map>("map", "Detection:map() -> Tensor",
              "Distances [h, w]: of the network's input size, with tiles of the inspected part's size.",
              "local detector = assert(im.anomaly.open('model', { engine = 'libtorch' }))\n"
              "print(table.concat(detector:detect(im.image.open 'new.png'):map():shape(), ' ')) --> 224 224"),
    bind<inference_ms>(
        "inference_ms", "Detection:inference_ms() -> number",
        "What the exported graph took, without what is done before and behind it; 0 where LibTorch computed.",
        "local detector = assert(im.anomaly.open('model', { engine = 'libtorch' }))\n"
        "print(detector:detect(im.image.open 'new.png'):inference_ms()) --> 0"),
};

constexpr Binding kFolderMethods[] = {
    bind<look>("look", "WatchedFolder:look() -> list of paths",
               "Pictures that have kept their size and time for two looks and were not given out since they "
               "changed.",
               "assert(#im.anomaly.watch('nowhere'):look() == 0)"),
};

constexpr Type kTypes[] = {
    describe_type<WatchedFolder, folder_text>("Pictures as they come into a folder, none half-written.",
                                              kFolderMethods),
    describe_type<AnomalyDetector, detector_text>("A trained PatchCore model.", kDetectorMethods),
    describe_type<Detection, detection_text>(
        "What a model says of a picture. Scores are distances: larger is more "
        "anomalous.",
        kDetectionMethods),
};

}  // namespace anomaly_bindings

extern const Module anomaly_module{"anomaly", "PatchCore: training, export and inspection.",
                                   anomaly_bindings::kFunctions, anomaly_bindings::kTypes};

}  // namespace imatch::host
