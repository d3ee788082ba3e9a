// SPDX-License-Identifier: Apache-2.0
#include "image/file_statistics.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "base/error.h"
#include "base/stop.h"
#include "base/threads.h"
#include "image/decode.h"

namespace imatch {
namespace {

/// Added up in rising order: sums of floating point numbers depend on their order.
std::array<double, 3> mean_of(const auto& pictures, const auto& member) {
  if (pictures.empty()) throw Error("statistics: no picture was added");
  std::array<double, 3> result{};
  for (std::size_t c = 0; c < 3; ++c) {
    std::vector<double> values;
    for (const auto& picture : pictures) values.push_back((picture.*member)[c]);
    std::ranges::sort(values);
    for (const double value : values) result[c] += value;
    result[c] /= static_cast<double>(values.size());
  }
  return result;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> FileStatistics::add(
    std::span<const std::string> paths, const std::optional<ResizeOptions>& resize) {
  struct Read {
    ChannelStatistics statistics;
    std::string problem;
  };
  std::vector<std::pair<std::string, std::string>> failed;
  const std::size_t at_once = 4 * static_cast<std::size_t>(num_threads());
  for (std::size_t first = 0; first < paths.size(); first += at_once) {
    check_stop();
    const std::size_t count = std::min(at_once, paths.size() - first);
    std::vector<Read> batch(count);
    at::parallel_for(0, static_cast<std::int64_t>(count), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        try {
          const Image image = open_image(paths[first + static_cast<std::size_t>(i)]);
          batch[i].statistics.add(resize ? imatch::resize(image, *resize).image : image);
        } catch (const Failure& failure) {
          batch[i].problem = failure.what();
        }
      }
    });
    for (std::size_t i = 0; i < count; ++i) {
      if (!batch[i].problem.empty()) {
        failed.emplace_back(paths[first + i], batch[i].problem);
        continue;
      }
      pixels_.merge(batch[i].statistics);
      pictures_.push_back({batch[i].statistics.mean(), batch[i].statistics.std()});
    }
  }
  return failed;
}

std::array<double, 3> FileStatistics::mean_of_means() const {
  return mean_of(pictures_, &OfPicture::mean);
}

std::array<double, 3> FileStatistics::mean_of_stds() const {
  return mean_of(pictures_, &OfPicture::std);
}

}  // namespace imatch
