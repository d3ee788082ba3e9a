// SPDX-License-Identifier: Apache-2.0
#include "image/statistics.h"

#include <cmath>

#include "base/error.h"

namespace imatch {

void ChannelStatistics::add(const Image& image) {
  std::array<std::uint64_t, 3> sum{}, squares{};
  for (std::size_t i = 0; i < image.rgb.size(); i += 3)
    for (std::size_t c = 0; c < 3; ++c) {
      const std::uint32_t sample = image.rgb[i + c];
      sum[c] += sample;
      squares[c] += sample * sample;
    }
  for (std::size_t c = 0; c < 3; ++c) {
    sum_[c] += sum[c];
    sum_of_squares_[c] += squares[c];
  }
  pixels_ += image.rgb.size() / 3;
}

void ChannelStatistics::merge(const ChannelStatistics& other) {
  for (std::size_t c = 0; c < 3; ++c) {
    sum_[c] += other.sum_[c];
    sum_of_squares_[c] += other.sum_of_squares_[c];
  }
  pixels_ += other.pixels_;
}

void ChannelStatistics::require_pixels() const {
  if (pixels_ == 0) throw Error("statistics: no picture was added");
}

std::array<double, 3> ChannelStatistics::mean() const {
  require_pixels();
  std::array<double, 3> result;
  for (std::size_t c = 0; c < 3; ++c)
    result[c] = static_cast<double>(sum_[c]) / static_cast<double>(pixels_) / 255.0;
  return result;
}

std::array<double, 3> ChannelStatistics::std() const {
  require_pixels();
  std::array<double, 3> result;
  for (std::size_t c = 0; c < 3; ++c) {
    // n * sum of squares - sum^2 cancels; in 128 bits it does so without loss.
    __extension__ using Wide = unsigned __int128;
    const Wide spread =
        static_cast<Wide>(pixels_) * sum_of_squares_[c] - static_cast<Wide>(sum_[c]) * sum_[c];
    result[c] = std::sqrt(static_cast<double>(spread)) / static_cast<double>(pixels_) / 255.0;
  }
  return result;
}

}  // namespace imatch
