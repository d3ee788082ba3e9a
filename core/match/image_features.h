// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backbone/backbone.h"
#include "feature/cache.h"

namespace imatch {

struct ImageFeaturesOptions {
  std::vector<double> rotations_deg = {};  ///< Also of each image rotated clockwise by these.
  int batch_size = 8;                      ///< Images decoded and run together; >= 1.
  double memory_mb = 1024;                 ///< Features held in memory; >= 0.
  std::string folder;  ///< Made for what does not fit, and removed at the end; only this process uses it.
};

/// Features of many image files within a bounded memory: each is decoded once and goes forward once. Those
/// used least recently are written to a folder where memory is full, and read again when they are needed.
/// Beyond memory_mb there are only one batch of pictures and the features that a caller holds.
class ImageFeatures {
 public:
  /// `files`: an image is its position among them. The backbone must outlive this.
  ImageFeatures(const Backbone& backbone, std::vector<std::string> files, ImageFeaturesOptions options);
  ~ImageFeatures();
  ImageFeatures(const ImageFeatures&) = delete;
  ImageFeatures& operator=(const ImageFeatures&) = delete;

  /// Called with the features of each image that went forward.
  std::function<void(const Features&)> on_features = [](const Features&) {};

  /// Sees to the images that were never seen: pictures are decoded in the background while those before go
  /// forward, batch by batch. One that cannot be read or run is noted in problem(). Throws Interrupted when a
  /// stop is asked for.
  void load(std::span<const int> images);

  /// Why the image has no features; "" where it has, or was not loaded.
  const std::string& problem(int image) const { return at(image).problem; }
  /// The image as it is. Loads it where that was not done. Throws Failure with problem().
  std::shared_ptr<const Features> of(int image);
  /// Those of the image rotated by each of rotations_deg, in their order; likewise.
  std::vector<std::shared_ptr<const Features>> rotations_of(int image);
  /// The image's share of the time of its batch, in ms; 0 before it was loaded.
  double forward_ms(int image) const { return at(image).forward_ms; }

  /// How many images like the last one fit in half of the memory; 1 at least.
  std::size_t images_in_half() const;

 private:
  struct State {
    std::vector<std::string> keys;  ///< Of the image as it is, then rotated; empty before it was loaded.
    std::string problem;
    double forward_ms = 0;
  };
  struct Decoded {
    int image = 0;
    std::shared_ptr<const Image> picture;
  };
  using FeatureList = std::vector<std::shared_ptr<const Features>>;

  const State& at(int image) const { return states_.at(static_cast<std::size_t>(image)); }
  State& at(int image) { return states_.at(static_cast<std::size_t>(image)); }
  void extract(std::span<const Decoded> batch);
  void run(std::span<const Decoded> batch);
  std::shared_ptr<const Features> kept(int image, std::size_t place);

  const Backbone& backbone_;
  const std::vector<std::string> files_;
  const ImageFeaturesOptions options_;
  FeatureCache kept_;
  std::vector<State> states_;
  std::size_t image_bytes_ = 1;
};

}  // namespace imatch
