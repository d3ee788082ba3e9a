// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/field.h"
#include "nn/dual_point_map.h"
#include "pointmap/augmentation.h"
#include "pointmap/data_folder.h"
#include "pointmap/input.h"
#include "raster/mesh_samples.h"
#include "train/training.h"

namespace imatch {

/// The network of a new model; a checkpoint brings its own.
struct PointMapNetworkOptions {
  int resolution = 160;
  int model_channels = 128;
  std::vector<int> multipliers = {1, 2, 2, 2};
  int blocks = 2;
  std::vector<int> attention_resolutions = {16};
  int layers = 4;
  bool depth_first = false;
  bool image_conditioning = false;
  bool confidence = true;

  using Self = PointMapNetworkOptions;
  static constexpr auto fields = std::tuple{
      field("resolution", &Self::resolution, in_range(8, 4096),
            "Side of what goes in, px; also that of the targets."),
      field("model_channels", &Self::model_channels, in_range(4, 4096), "Width of the first level."),
      field("multipliers", &Self::multipliers, in_range(1, 64), "Width of each level, in model_channels."),
      field("blocks", &Self::blocks, in_range(1, 64), "Of each level."),
      field("attention_resolutions", &Self::attention_resolutions, in_range(1, 4096),
            "Levels of these sides have attention; the lowest has it always."),
      field("layers", &Self::layers, in_range(1, 64), "Surfaces behind each other that are predicted."),
      field("depth_first", &Self::depth_first, anything(),
            "The first stage makes posed points instead of canonical ones."),
      field("image_conditioning", &Self::image_conditioning, anything(),
            "The second stage sees the features too."),
      field("confidence", &Self::confidence, anything(), "Whether one layer alone has a confidence.")};
};

struct PointMapTrainOptions {
  PointMapNetworkOptions network;
  PointMapFeatureOptions features;
  PointMapDataOptions data;
  MeshSampleOptions mesh;
  PointMapAugmentation augmentation;
  TrainingOptions training;
  std::string validation, validation_data;
  std::string weights;
  double dropout = 0.1;
  double alpha = 1, occupancy_weight = 1;
  bool whole_picture = false;

  using Self = PointMapTrainOptions;
  static constexpr auto fields = std::tuple{
      field("network", &Self::network, anything(),
            "The network; a checkpoint that is gone on from must agree."),
      field("features", &Self::features, anything(), "What the network sees."),
      field("data", &Self::data, anything(), "Which samples."),
      field(
          "mesh", &Self::mesh, anything(),
          "Where the data are a mesh: how its samples are drawn. They are rasterised when they are needed."),
      field("augmentation", &Self::augmentation, anything(), "How training samples are varied; off."),
      field("training", &Self::training, anything(), "The optimiser, the steps and what is saved."),
      field("validation", &Self::validation, anything(),
            "File with ids, one a line, that are not trained on."),
      field("validation_data", &Self::validation_data, anything(),
            "Folder (or mesh) whose samples, or those that `validation` names, are for validation, in the "
            "place of "
            "some that are trained on."),
      field("weights", &Self::weights, anything(),
            "Checkpoint to begin with: training goes on at its step where it has an optimiser, else at 0."),
      field("dropout", &Self::dropout, in_range(0, 0.9), "Share of a block's inner values set to zero."),
      field("alpha", &Self::alpha, at_least(0), "Weight of the logarithm of the confidence in the loss."),
      field("occupancy_weight", &Self::occupancy_weight, at_least(0),
            "Weight of the occupancy's loss beside that of the points, whose gradients grow as their errors "
            "shrink."),
      field("whole_picture", &Self::whole_picture, anything(),
            "Learn occupancy outside of the silhouette too, so that a picture needs no mask.")};
};

/// Trains on the samples of `root`, a folder or a mesh, and leaves checkpoints, losses and pictures in
/// `folder`; goes on from the newest checkpoint there. Throws Failure: not_found (no data, no target of a
/// sample: all are looked for first), bad_weights (a checkpoint of another network), and as train().
TrainingReport train_point_map(const std::string& root, const std::string& folder,
                               const PointMapTrainOptions& options,
                               const std::function<void(const std::string&)>& warn);

}  // namespace imatch
