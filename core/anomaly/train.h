// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "anomaly/model.h"
#include "anomaly/training_data.h"
#include "base/field.h"
#include "base/options.h"
#include "retrieval/skipped_file.h"

namespace imatch {

struct AnomalyTrainOptions {
  std::string pattern_name;
  double coreset_ratio = 0.001;
  bool use_faiss = false;
  std::string backbone = "efficientnet_lite0";
  std::vector<std::string> layers;
  std::vector<int> image_size{224, 224};
  int batch_size = 32;
  double memory_mb = 0;
  double held_out = 0.1;
  std::int64_t seed = 0;
  int tile_px = 0;
  double overlap = 0.25;
  std::vector<int> roi_rect;
  double roi_threshold = 0.5;
  std::string device = "auto";
  PatchCoreMethod method;
  ThresholdOptions thresholds;
  AnomalyDataOptions data;

  using Self = AnomalyTrainOptions;
  static constexpr auto fields = std::tuple{
      field("pattern_name", &Self::pattern_name, anything(),
            "Name of the model's files; empty: the name of its folder."),
      field("coreset_ratio", &Self::coreset_ratio, in_range(0, 1), "Share of the patches that is kept."),
      field("use_faiss", &Self::use_faiss, anything(),
            "Score by FAISS instead of LibTorch. The memory bank is the same with and without."),
      field("backbone", &Self::backbone, anything(), "A network, with its options if need be."),
      field("layers", &Self::layers, anything(),
            "Its layers; empty: layer2 and layer3 of a ResNet, stages 8 and 16 of an EfficientNet, else what "
            "the "
            "backbone takes "
            "by itself."),
      field("image_size", &Self::image_size, in_range(17, 4096),
            "Height and width of the network's input, px; pictures are resized to it exactly."),
      field("batch_size", &Self::batch_size, in_range(1, 4096), "Pictures that go forward together."),
      field("memory_mb", &Self::memory_mb, at_least(0),
            "Room for patches before the coreset is chosen, in 10^6 bytes; a uniform random sample of this "
            "size "
            "is taken where "
            "there are more. 0: all."),
      field("held_out", &Self::held_out, in_range(0, 0.9),
            "Share of the normal pictures that is not trained with, for the thresholds; rounded down."),
      field("seed", &Self::seed, in_range(0, 9007199254740992.0), "Of everything random."),
      field("tile_px", &Self::tile_px, in_range(0, 65536),
            "Pictures go through the network in squares of this side; 0: whole."),
      field("overlap", &Self::overlap, in_range(0, 0.9), "Least overlap of these, as a share of their side."),
      field("roi_rect", &Self::roi_rect, at_least(0),
            "x, y, width and height, px, of the region to inspect in the first picture; it is searched in "
            "every "
            "other one by what "
            "it looks like. Empty: whole pictures."),
      field("roi_threshold", &Self::roi_threshold, in_range(-1, 1),
            "Least correlation with the region; pictures below are left out."),
      field("device", &Self::device, anything(), "'cpu', 'cuda', 'cuda:N' or 'auto'."),
      field("method", &Self::method, anything(), "How patches are made and scored: see patchcore.presets."),
      field("thresholds", &Self::thresholds, anything(), "How thresholds are taken."),
      field("data", &Self::data, anything(), "How the data folder is arranged.")};
};

/// Reads training options; `method` is read with its preset. Throws Error as parse_options, and for sizes and
/// regions that are not of two and four numbers.
AnomalyTrainOptions parse_anomaly_train_options(const Json& table, std::string_view what);

/// Told how far a stage ("features", "coreset", "scores") is.
using AnomalyProgress = std::function<void(std::string_view stage, std::int64_t done, std::int64_t total)>;

struct AnomalyTraining {
  AnomalyModel model;
  std::vector<SkippedFile> skipped;  ///< Pictures that could not be read, or without the region.
  std::vector<std::string> resumed;  ///< Stages found finished.
};

/// Trains PatchCore on the normal pictures below `data_folder` and writes the model into `model_folder`
/// (save_anomaly_model). Finished stages lie in `model_folder`/training until it is there: a training that
/// was killed goes on behind the last one. The same pictures, options and seed give the same model on any
/// number of threads. Throws Error for options that do not fit, Failure: not_found, no_result (fewer than two
/// readable normal pictures), as coreset and save_anomaly_model.
AnomalyTraining train_anomaly_model(const std::string& data_folder, const std::string& model_folder,
                                    const AnomalyTrainOptions& options, const AnomalyProgress& progress = {});

struct AnomalyExtendOptions {
  double coreset_ratio = 0;
  int batch_size = 32;
  std::string device = "auto";
  AnomalyDataOptions data;
  using Self = AnomalyExtendOptions;
  static constexpr auto fields = std::tuple{
      field("coreset_ratio", &Self::coreset_ratio, in_range(0, 1),
            "Share of the new patches that is added at most; 0: as the model was trained."),
      field("batch_size", &Self::batch_size, in_range(1, 4096), "Pictures that go forward together."),
      field("device", &Self::device, anything(), "'cpu', 'cuda', 'cuda:N' or 'auto'."),
      field("data", &Self::data, anything(), "How the data folder is arranged.")};
};

/// Adds the normal pictures below `data_folder` to a model: the farthest-first traversal goes on from the
/// rows it has, over the new patches alone, and stops early where these are covered. Statistics are pooled;
/// thresholds stay. The same errors as train_anomaly_model.
AnomalyTraining extend_anomaly_model(const std::string& model_folder, const std::string& data_folder,
                                     const AnomalyExtendOptions& options,
                                     const AnomalyProgress& progress = {});

}  // namespace imatch
