// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>

#include <functional>
#include <string>
#include <string_view>
#include <tuple>

#include "base/field.h"
#include "train/adam.h"
#include "train/checkpoint.h"
#include "train/trainee.h"

namespace imatch {

struct TrainingOptions {
  AdamOptions optimiser = {};
  std::int64_t steps = 100000;
  int batch = 12;
  int accumulate = 1;
  std::int64_t seed = 42;
  std::int64_t save_every = 5000;
  int keep_last = 0;
  std::int64_t validate_every = 20;
  std::int64_t picture_every = 0;
  int workers = 2;
  std::string precision = "float32";
  std::string device = "auto";
  bool distributed = false;

  static constexpr std::string_view kPrecisions[] = {"float32", "bfloat16", "float16"};
  using Self = TrainingOptions;
  static constexpr auto fields = std::tuple{
      field("optimiser", &Self::optimiser, anything(), "Adam and its schedule."),
      field("steps", &Self::steps, at_least(1), "Updates in all, those of an earlier run included."),
      field("batch", &Self::batch, at_least(1),
            "Samples of an update. The last one of an epoch may have fewer."),
      field("accumulate", &Self::accumulate, at_least(1),
            "Parts in which they go through the network, which saves memory; the losses are the same."),
      field("seed", &Self::seed, at_least(0), "Of the order of the samples, of dropout and of augmentation."),
      field("save_every", &Self::save_every, at_least(1),
            "Steps between two checkpoints; the last step has one."),
      field("keep_last", &Self::keep_last, at_least(0), "So many checkpoints are kept; 0: all."),
      field("validate_every", &Self::validate_every, at_least(1),
            "Steps between two batches of the validation set, where there is one."),
      field("picture_every", &Self::picture_every, at_least(0),
            "Steps between two pictures of predictions; 0: none."),
      field("workers", &Self::workers, in_range(0, 256),
            "Threads that read samples; 0: the network waits for them."),
      field("precision", &Self::precision, one_of(kPrecisions),
            "What convolutions and products are computed in; weights and losses stay float32."),
      field("device", &Self::device, anything(), "'cpu', 'cuda', 'cuda:N' or 'auto'."),
      field(
          "distributed", &Self::distributed, anything(),
          "Together with the other processes that torchrun started: each takes its part of every batch, and "
          "the first one writes. The losses are those of one process, but for what dropout draws.")};
};

struct TrainingReport {
  std::int64_t step = 0;
  double loss = 0;  ///< Of the last step.
  double seconds = 0;
  double images_per_s = 0;
  std::string checkpoint = {};  ///< The file of the last step.
  std::string log = {};         ///< losses.csv
};

/// Goes on from `start` (the trainee has its weights already; nullptr: from the beginning) until
/// `options.steps` and leaves weights_<step>.pth, losses.csv, events/ and pictures/ in the folder. On one
/// number of threads a run that was interrupted and resumed has the losses of an undisturbed one to the last
/// bit. A stop request saves and throws Interrupted. A loss or gradient that is not finite throws Failure
/// (no_result) with where and what; no checkpoint is made of it. `warn` gets what somebody should know.
TrainingReport train(const Trainee& trainee, const std::string& folder, const TrainingOptions& options,
                     const TrainingCheckpoint* start, const std::function<void(const std::string&)>& warn);

}  // namespace imatch
