// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "anomaly/model.h"
#include "anomaly/scorer.h"
#include "retrieval/skipped_file.h"

namespace imatch {

/// Pictures on their way through the network in batches of views, decoded ahead.
class PictureBatches {
 public:
  /// `each(index, inputs, first)`: picture `index` of `paths` has its views at rows `first` and on of the
  /// batch given to `forward`.
  struct Picture {
    std::size_t index;     ///< Into the paths.
    AnomalyInputs inputs;  ///< Without their tensor.
    std::int64_t first;    ///< Row of its first view in the batch.
  };
  using Batch = std::function<void(const at::Tensor& inputs, const std::vector<Picture>& pictures)>;

  PictureBatches(const AnomalyModelConfig& config, const std::optional<InspectedRegion>& region,
                 const Normalization& by, int batch_size)
      : config_(config), region_(region), by_(by), batch_size_(batch_size) {}

  /// Calls `batch` with [views, 3, H, W] of about batch_size views, pictures in the order of the paths. What
  /// cannot be read or lacks the region is added to `skipped`. Polls the stop request.
  void run(const std::vector<std::string>& paths, const Batch& batch, std::vector<SkippedFile>& skipped,
           const std::function<void(std::size_t done)>& progress) const;

 private:
  const AnomalyModelConfig& config_;
  const std::optional<InspectedRegion>& region_;
  Normalization by_;
  int batch_size_;
};

}  // namespace imatch
