// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "anomaly/scorer.h"
#include "anomaly/train.h"

namespace imatch {

/// Patches of pictures, all or a sample of them.
struct CollectedPatches {
  at::Tensor rows;        ///< [n, D] float32 on the CPU.
  std::int64_t seen = 0;  ///< Patches of all pictures.
  std::int64_t num_images = 0;
  std::vector<SkippedFile> skipped;
};

/// How much room there is, and what decides between more patches than that.
struct PatchRoom {
  double memory_mb = 0;  ///< 0: for all.
  std::int64_t seed = 0;
};

/// Throws Failure (no_result) when fewer than `least` pictures can be used.
CollectedPatches collect_patches(const std::vector<std::string>& paths, const Backbone& backbone,
                                 const AnomalyModel& model, int batch_size, const PatchRoom& room,
                                 std::int64_t least, const AnomalyProgress& progress);

/// Scores of pictures: {score, largest and mean value of the map} of each, null where it was left out.
Json score_pictures(const std::vector<std::string>& paths, const AnomalyScorer& scorer,
                    const AnomalyModel& model, const Normalization& by, int batch_size,
                    std::vector<SkippedFile>& skipped, const std::function<void(std::size_t)>& progress);

}  // namespace imatch
