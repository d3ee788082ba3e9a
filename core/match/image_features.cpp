// SPDX-License-Identifier: Apache-2.0
#include "match/image_features.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <set>

#include "backbone/extract.h"
#include "backbone/rotations.h"
#include "base/error.h"
#include "image/image_stream.h"

namespace imatch {
namespace {

/// Pictures decoded before they are wanted: a large one takes 60 MB.
constexpr int kPicturesAhead = 4;
constexpr double kNoLimitMb = 1e12;

/// What the job alone needs: nothing is written before memory is full.
CacheOptions working_set(const ImageFeaturesOptions& options) {
  return {.folder = options.folder,
          .max_mb = kNoLimitMb,
          .memory_mb = options.memory_mb,
          .write_when_dropped = true};
}

}  // namespace

ImageFeatures::ImageFeatures(const Backbone& backbone, std::vector<std::string> files,
                             ImageFeaturesOptions options)
    : backbone_(backbone),
      files_(std::move(files)),
      options_(std::move(options)),
      kept_(working_set(options_)),
      states_(files_.size()) {
  if (options_.folder.empty() || std::filesystem::exists(options_.folder))
    throw Error("image features: expected a folder of their own that is not there yet, got '" +
                options_.folder + "'");
}

ImageFeatures::~ImageFeatures() {
  std::error_code ignored;
  std::filesystem::remove_all(options_.folder, ignored);
}

void ImageFeatures::load(std::span<const int> images) {
  std::set<int> asked;
  std::vector<int> unseen;
  for (const int image : images)
    if (at(image).keys.empty() && at(image).problem.empty() && asked.insert(image).second)
      unseen.push_back(image);
  if (unseen.empty()) return;
  std::vector<std::string> paths;
  for (const int image : unseen) paths.push_back(files_[static_cast<std::size_t>(image)]);
  ImageStream pictures(paths, {.ahead = std::min(options_.batch_size, kPicturesAhead)});
  std::vector<Decoded> batch;
  while (auto item = pictures.next()) {
    const int image = unseen[item->index];
    if (item->image)
      batch.push_back({image, std::move(item->image)});
    else
      at(image).problem = item->problem;
    if (batch.size() == static_cast<std::size_t>(options_.batch_size)) extract(batch), batch.clear();
  }
  if (!batch.empty()) extract(batch);
}

void ImageFeatures::extract(std::span<const Decoded> batch) {
  try {
    run(batch);
  } catch (const Failure& failure) {
    if (batch.size() == 1) {
      at(batch.front().image).problem = failure.what();
      return;
    }
    for (const Decoded& one : batch) extract({&one, 1});  // one of them does not go; find out which
  }
}

void ImageFeatures::run(std::span<const Decoded> batch) {
  std::vector<const Image*> pictures;
  for (const Decoded& one : batch) pictures.push_back(one.picture.get());
  const auto start = std::chrono::steady_clock::now();
  std::vector<FeatureList> lists{extract_features(backbone_, pictures)};
  for (const double angle : options_.rotations_deg)
    lists.push_back(std::fmod(angle, 360) == 0 ? lists.front()
                                               : features_of_rotation(backbone_, pictures, angle));
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    State& state = at(batch[i].image);
    state.forward_ms = elapsed.count() / static_cast<double>(batch.size());
    image_bytes_ = 0;
    for (const FeatureList& list : lists) {
      const auto& features = list[i];
      state.keys.push_back(features->key);
      image_bytes_ += features->bytes();
      kept_.put(features->key, features, state.forward_ms / static_cast<double>(lists.size()));
    }
    on_features(*lists.front()[i]);
  }
}

std::shared_ptr<const Features> ImageFeatures::kept(int image, std::size_t place) {
  for (const bool again : {false, true}) {
    load({&image, 1});
    State& state = at(image);
    if (!state.problem.empty()) throw Failure(code::kNoResult, state.problem);
    if (auto features = kept_.get(state.keys.at(place))) return features;
    // Neither in memory nor on disk: the disk is full, or somebody emptied the folder. Made again once.
    if (!again) state.keys.clear();
  }
  throw Failure(code::kNoSpace, files_[static_cast<std::size_t>(image)] + ": its features fit neither in " +
                                    "memory nor on the disk: " + kept_.statistics().problem);
}

std::shared_ptr<const Features> ImageFeatures::of(int image) {
  return kept(image, 0);
}

std::vector<std::shared_ptr<const Features>> ImageFeatures::rotations_of(int image) {
  FeatureList list;
  for (std::size_t k = 0; k < options_.rotations_deg.size(); ++k) list.push_back(kept(image, k + 1));
  return list;
}

std::size_t ImageFeatures::images_in_half() const {
  return std::max<std::size_t>(
      1, static_cast<std::size_t>(options_.memory_mb * 1e6 / 2 / static_cast<double>(image_bytes_)));
}

}  // namespace imatch
