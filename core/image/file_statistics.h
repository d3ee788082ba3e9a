// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "image/resize.h"
#include "image/statistics.h"

namespace imatch {

/// Channel statistics of picture files, read in parallel, a few in memory at a time. The result depends on
/// neither their order nor the number of threads.
class FileStatistics {
 public:
  /// Reads the files, resizes each where `resize` is given, and adds them. Returns path and message of those
  /// that could not be read, which are left out. Polls the stop request once a batch.
  std::vector<std::pair<std::string, std::string>> add(std::span<const std::string> paths,
                                                       const std::optional<ResizeOptions>& resize);

  /// Over all pixels of all pictures.
  const ChannelStatistics& pixels() const { return pixels_; }
  std::size_t num_images() const { return pictures_.size(); }
  /// Mean over pictures of their means, and of their standard deviations: what averaging the statistics of
  /// single pictures gives. In [0, 1]. Throws Error without a picture.
  std::array<double, 3> mean_of_means() const;
  std::array<double, 3> mean_of_stds() const;

 private:
  struct OfPicture {
    std::array<double, 3> mean;
    std::array<double, 3> std;
  };
  ChannelStatistics pixels_;
  std::vector<OfPicture> pictures_;
};

}  // namespace imatch
