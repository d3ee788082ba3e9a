// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "image/image.h"

namespace imatch {

/// Mean and standard deviation of each channel over any number of pictures. Sums are integers, so the result
/// does not depend on the order or on how the pictures were split: exact up to 2.8e14 pixels.
class ChannelStatistics {
 public:
  void add(const Image& image);
  void merge(const ChannelStatistics& other);

  std::uint64_t pixels() const { return pixels_; }
  /// In [0, 1], as normalization is given. Throws Error when no pixel was added.
  std::array<double, 3> mean() const;
  /// Of the population (divided by the number of pixels), in [0, 0.5].
  std::array<double, 3> std() const;

 private:
  void require_pixels() const;

  std::uint64_t pixels_ = 0;
  std::array<std::uint64_t, 3> sum_{};
  std::array<std::uint64_t, 3> sum_of_squares_{};
};

}  // namespace imatch
