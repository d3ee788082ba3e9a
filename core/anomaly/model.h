// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "anomaly/method.h"
#include "anomaly/norm_stats.h"
#include "anomaly/region.h"
#include "anomaly/thresholds.h"
#include "base/options.h"

namespace imatch {

/// All of a trained model but its rows, statistics and thresholds: config.yaml.
struct AnomalyModelConfig {
  std::string pattern_name;
  std::string backbone;
  std::string weights_sha256;
  std::string weights_family;
  int image_height = 224;
  int image_width = 224;
  int tile_px = 0;
  double overlap = 0.25;
  double region_threshold = 0.5;
  PatchCoreMethod method;
  double coreset_ratio = 0.001;
  std::int64_t seed = 0;
  std::int64_t rows_seen = 0;
  std::int64_t rows_kept = 0;
  std::int64_t num_images = 0;
  std::int64_t num_held_out = 0;

  using Self = AnomalyModelConfig;
  static constexpr auto fields = std::tuple{
      field("pattern_name", &Self::pattern_name, anything(), "Name of the model and its files."),
      field("backbone", &Self::backbone, anything(), "The network with its options."),
      field("weights_sha256", &Self::weights_sha256, anything(), "Of its weights file."),
      field("weights_family", &Self::weights_family, anything(),
            "Who trained the network, where that is known."),
      field("image_height", &Self::image_height, in_range(1, 4096), "Of the network's input, px."),
      field("image_width", &Self::image_width, in_range(1, 4096), "Of the network's input, px."),
      field("tile_px", &Self::tile_px, in_range(0, 65536), "Side of a tile, px; 0: pictures go in whole."),
      field("overlap", &Self::overlap, in_range(0, 0.9), "Least overlap of tiles, as a share of their side."),
      field("region_threshold", &Self::region_threshold, in_range(-1, 1),
            "Least correlation with the region's template, where there is one."),
      field("method", &Self::method, anything(), "How patches score."),
      field("coreset_ratio", &Self::coreset_ratio, in_range(0, 1), "Share of the patches that was kept."),
      field("seed", &Self::seed, anything(), "Of everything random."),
      field("rows_seen", &Self::rows_seen, anything(), "Patches of all training images."),
      field("rows_kept", &Self::rows_kept, anything(),
            "How many of them the coreset was chosen from: fewer where they did not fit in memory."),
      field("num_images", &Self::num_images, anything(), "Trained with."),
      field("num_held_out", &Self::num_held_out, anything(), "Normal images kept for the thresholds.")};
};

/// A trained model as it lies in its folder: checkpoint.ckpt (a safetensors file with everything but the
/// network's weights, which it names by their SHA-256), backbone.weights (those, where the user brought them
/// as a file), config.yaml (the same configuration for people), thresholds.json and norm_stats.txt.
/// Thresholds may be edited; a config.yaml that says something else than the checkpoint is an error.
struct AnomalyModel {
  AnomalyModelConfig config;
  at::Tensor bank;  ///< [M, D] float32.
  NormStats norm_stats;
  Thresholds thresholds;
  std::optional<InspectedRegion> region;
};

/// Writes the four files, each atomically, the checkpoint last; what was exported from an earlier model is
/// removed before. Throws Failure (unwritable, no_space).
void save_anomaly_model(const std::string& folder, const AnomalyModel& model);

/// Throws Failure: not_found for a missing file, bad_format for one that is damaged or does not fit the
/// others.
AnomalyModel load_anomaly_model(const std::string& folder);

/// The network's weights inside of a model's folder, where the user brought them: any format that
/// load_state_dict reads.
inline constexpr const char* kBackboneWeights = "backbone.weights";

/// The backbone's specification for a model in that folder: with the weights that lie there, if any.
std::string backbone_in_folder(const AnomalyModelConfig& config, const std::string& folder);

/// The configuration in the block style of YAML 1.2, with JSON's scalars.
std::string yaml_text(const Json& table);

/// Whose ResNet weights these are, by their SHA-256: torchvision and timm train networks of the same form and
/// names, whose scores differ. "" where it is not known.
std::string_view resnet_weights_family(std::string_view sha256);

}  // namespace imatch
