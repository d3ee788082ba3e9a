// SPDX-License-Identifier: Apache-2.0
#include "export/export_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace imatch {
namespace {

/// Places that a file has with fewer digits fall together with the tokens they came from.
std::pair<double, double> place_key(Point2 place) {
  const auto rounded = [](double x) { return std::round(x * 1024) / 1024; };
  return {rounded(place.x), rounded(place.y)};
}

}  // namespace

void ExportSet::add_image(const std::string& name, int width, int height, const ExportImageOptions& options) {
  if (name.empty()) throw Error("export: an image needs a name");
  if (has_image(name)) throw Error(fmt::format("export: there is an image '{}' already", name));
  by_name_.emplace(name, images_.size());
  ExportImage& image = images_.emplace_back();
  image.name = name;
  image.width = width, image.height = height;
  image.orientation = options.orientation;
  places_.emplace_back();
}

void ExportSet::add_image(const std::string& name, const Features& features,
                          const ExportImageOptions& options) {
  if (!features.tokens.defined() || features.tokens.dim() != 2)
    throw Error(fmt::format("export: the features of '{}' have no tokens", name));
  add_image(name, features.image_width, features.image_height, options);
  for (std::int64_t token = 0; token < features.tokens.size(0); ++token)
    keypoint(images_.size() - 1, features.point(token));
  ExportImage& image = images_.back();
  if (static_cast<std::int64_t>(image.keypoints.size()) != features.tokens.size(0))
    throw Error(fmt::format("export: two tokens of '{}' lie at one place", name));
  image.descriptors = features.tokens.to(at::kCPU, at::kFloat);
  if (features.global.defined()) image.global = features.global.to(at::kCPU, at::kFloat);
}

std::size_t ExportSet::image_named(const std::string& name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) throw Error(fmt::format("export: there is no image '{}'; add it first", name));
  return found->second;
}

std::uint32_t ExportSet::keypoint(std::size_t index, Point2 place) {
  ExportImage& image = images_[index];
  const auto [found, is_new] =
      places_[index].try_emplace(place_key(place), static_cast<std::uint32_t>(image.keypoints.size()));
  if (!is_new) return found->second;
  if (image.descriptors.defined())
    throw Error(
        fmt::format("export: ({}, {}) is the place of none of the tokens of '{}'; its matches are from other "
                    "features",
                    place.x, place.y, image.name));
  image.keypoints.push_back(place);
  return found->second;
}

bool ExportSet::add_pair(const std::string& name_a, const std::string& name_b, const Matches& matches,
                         const Geometry* geometry) {
  ExportPair pair;
  pair.a = image_named(name_a), pair.b = image_named(name_b);
  if (pair.a == pair.b) throw Error(fmt::format("export: '{}' is matched with itself", name_a));
  const auto check_size = [](const ExportImage& image, int width, int height) {
    if (image.width != width || image.height != height)
      throw Error(fmt::format("export: '{}' has {} x {} px, in the matches {} x {}", image.name, image.width,
                              image.height, width, height));
  };
  check_size(images_[pair.a], matches.width_a, matches.height_a);
  check_size(images_[pair.b], matches.width_b, matches.height_b);
  if (geometry && geometry->inliers.size() != matches.size())
    throw Error(fmt::format("export: the geometry is of {} matches, these are {}", geometry->inliers.size(),
                            matches.size()));
  if (!by_images_.try_emplace(std::minmax(pair.a, pair.b), pairs_.size()).second) return false;
  for (std::size_t k = 0; k < matches.size(); ++k)
    pair.matches.push_back({keypoint(pair.a, matches.points_a[k]), keypoint(pair.b, matches.points_b[k])});
  pair.similarity = matches.similarity;
  if (geometry) {
    pair.b_from_a = geometry->b_from_a;
    pair.inliers = geometry->inliers;
  }
  pairs_.push_back(std::move(pair));
  return true;
}

ExportCounts ExportSet::counts() const {
  ExportCounts counts{.images = images_.size(), .pairs = pairs_.size()};
  for (const ExportImage& image : images_) counts.keypoints += image.keypoints.size();
  for (const ExportPair& pair : pairs_)
    counts.matches += pair.matches.size(), counts.geometries += pair.b_from_a.has_value();
  return counts;
}

std::size_t ExportSet::bytes() const {
  // A keypoint also lies in places_, a node of a map.
  std::size_t bytes = 0;
  for (const ExportImage& image : images_)
    bytes += image.keypoints.size() * 5 * sizeof(Point2) +
             (image.descriptors.defined() ? image.descriptors.nbytes() : 0);
  for (const ExportPair& pair : pairs_)
    bytes += pair.matches.size() * (sizeof(pair.matches[0]) + sizeof(float) + 1);
  return bytes;
}

}  // namespace imatch
