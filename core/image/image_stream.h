// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/field.h"
#include "image/image.h"

namespace imatch {

struct ImageStreamOptions {
  int ahead = 32;
  int threads = 0;
  int side_px = 0;
  static constexpr auto fields = std::tuple{
      field("ahead", &ImageStreamOptions::ahead, in_range(1, 4096),
            "Pictures decoded before they are asked for."),
      field("threads", &ImageStreamOptions::threads, in_range(0, 64), "That decode; 0: as many as compute."),
      field("side_px", &ImageStreamOptions::side_px, in_range(0, 16384),
            "Resize to a square of this side (bicubic, antialiased) in the same threads; 0: as they are.")};
};

/// Decodes pictures in the background, so that a network never waits for them. What cannot be decoded comes
/// as its error message, in its place.
class ImageStream {
 public:
  ImageStream(std::vector<std::string> paths, const ImageStreamOptions& options = {});
  ~ImageStream();
  ImageStream(const ImageStream&) = delete;
  ImageStream& operator=(const ImageStream&) = delete;

  struct Item {
    std::size_t index = 0;               ///< Into the paths.
    std::shared_ptr<const Image> image;  ///< nullptr when it failed.
    std::string problem;
    double decode_ms = 0;  ///< With resizing.
  };
  /// The next in order; nullopt after the last. Waits until it is decoded, and throws Interrupted when a stop
  /// is asked for.
  std::optional<Item> next();

 private:
  void work();

  const std::vector<std::string> paths_;
  const ImageStreamOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t claimed_ = 0;  ///< Paths that a thread has taken.
  std::size_t given_ = 0;
  bool stopping_ = false;
  std::vector<std::optional<Item>> done_;  ///< By path; emptied when given.
  std::vector<std::thread> threads_;
};

}  // namespace imatch
